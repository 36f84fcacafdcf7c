/**
 * Finds the sealed reasoning of earlier turns for clients that do not send it back: the format of chat completions has
 * no place for it. A turn is recognised by its tool calls, in the log of the answer that made them.
 */
import { type Message, type Part, partsOf } from '../../contracts/content.ts';
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { factsOf } from '../../engine/models/catalogue.ts';
import type { CallOwner } from '../../engine/reasoning/call-answers.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { foldAnswer } from '../wires/answer.ts';
import { withReasoning } from '../wires/with-reasoning.ts';

type ToolCall = Extract<Part, { type: 'tool-call' }>;
type Recalling = Pick<ApiDependencies, 'log' | 'callAnswers' | 'config'>;

/** @returns the input with what is known; the same one where nothing is missing, or no model would read it. */
export async function recallReasoning(
  dependencies: Recalling,
  owner: CallOwner,
  input: GenerationInput,
  candidates: readonly Candidate[],
): Promise<GenerationInput> {
  const { config, callAnswers } = dependencies;
  const turns = input.messages.flatMap((message, index) => {
    const [call] = callsOf(message);
    return call === undefined || hasReasoning(message) ? [] : [{ index, message, callId: call.id }];
  });
  const recent = turns.slice(-LIMITS.recalledAnswers);
  const reasons = ({ provider, model }: Candidate) =>
    factsOf(config, provider, model).capabilities.reasoning !== false;
  if (recent.length === 0 || !candidates.some(reasons)) return input;
  const generations = await callAnswers.find(
    owner,
    recent.map(({ callId }) => callId),
  );
  const messages = [...input.messages];
  await Promise.all(
    recent.map(async ({ index, message }, place) => {
      const generationId = generations[place];
      if (generationId) messages[index] = await recallTurn(dependencies, generationId, message);
    }),
  );
  return { ...input, messages };
}

async function recallTurn({ log }: Recalling, generationId: string, message: Message): Promise<Message> {
  const answer = foldAnswer(await log.readMerged(generationId));
  // Ids of some vendors repeat: it is the same turn only if its calls are the same.
  const names = new Map(answer.toolCalls.map(({ id, name }) => [id, name]));
  const isSame = callsOf(message).every(({ id, name }) => names.get(id) === name);
  const parts = answer.parts.filter((part) => part.type !== 'reasoning' || part.sealed !== undefined);
  if (!isSame || !parts.some(({ type }) => type === 'reasoning')) return message;
  return { ...message, content: withReasoning(partsOf(message), parts) };
}

function callsOf(message: Message): ToolCall[] {
  if (message.role !== 'assistant') return [];
  return partsOf(message).filter((part): part is ToolCall => part.type === 'tool-call');
}

function hasReasoning(message: Message): boolean {
  return partsOf(message).some(
    (part) =>
      (part.type === 'reasoning' && part.sealed !== undefined) ||
      (part.type === 'native' && part.isReasoning),
  );
}
