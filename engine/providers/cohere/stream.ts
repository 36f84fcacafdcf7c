/** Maps the events of a Cohere answer to ours. Source: Cohere, "A guide to streaming responses (v2)". */

import type { Ending } from '../../../contracts/ending.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { AnswerState, isFilter, malformed, streamCut } from '../answer-state.ts';
import { CitedText, readSources } from '../cited-text.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { ReasoningItems } from '../reasoning-items.ts';
import { type CohereUsage, mapCohereUsage } from './usage.ts';

/** The fields that are read, of all types of events. */
export interface CohereEvent {
  readonly type: string;
  readonly index?: number | undefined;
  readonly delta?:
    | {
        readonly message?: MessageDelta | undefined;
        readonly finishReason?: string | undefined;
        readonly error?: string | undefined;
        readonly usage?: CohereUsage | undefined;
      }
    | undefined;
}

interface CohereCitation {
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** What is cited in: the text, if absent. */
  readonly type?: string | undefined;
  readonly sources?: readonly { readonly document?: unknown; readonly toolOutput?: unknown }[] | undefined;
}

interface MessageDelta {
  readonly content?: { readonly text?: unknown; readonly thinking?: unknown } | undefined;
  readonly toolPlan?: unknown;
  readonly citations?: CohereCitation | undefined;
  readonly toolCalls?:
    | { readonly id?: string; readonly function?: { readonly name?: string; readonly arguments?: string } }
    | undefined;
}

export async function* mapCohereStream(
  stream: AsyncIterable<CohereEvent>,
  call: Pick<ProviderCall, 'resume' | 'input'>,
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState(call);
  const reasoning = new ReasoningItems();
  const text = new CitedText(call);
  let hasPlan = false;
  for await (const event of stream) {
    const message = event.delta?.message;
    switch (event.type) {
      case 'content-start':
      case 'content-delta':
        yield* mapCohereContent(message, answer, reasoning);
        break;
      case 'citation-start':
        yield* mapCohereCitation(message?.citations, text);
        break;
      case 'content-end':
        yield* closeReasoning(reasoning, 'thinking');
        break;
      case 'tool-plan-delta':
        if (typeof message?.toolPlan !== 'string') break;
        hasPlan = true;
        yield reasoning.text(message.toolPlan);
        break;
      case 'tool-call-start': {
        yield* closeReasoning(reasoning, hasPlan ? 'toolPlan' : 'thinking');
        const { id, function: called } = message?.toolCalls ?? {};
        const place = event.index ?? 0;
        yield answer.startToolCall(place, answer.uniqueCallId(id), called?.name ?? '');
        if (called?.arguments) yield answer.appendArguments(place, called.arguments);
        break;
      }
      case 'tool-call-delta': {
        const delta = message?.toolCalls?.function?.arguments;
        if (delta !== undefined) yield answer.appendArguments(event.index ?? 0, delta);
        break;
      }
      case 'message-end': {
        const usage = mapCohereUsage(event.delta?.usage);
        if (usage !== null) yield { type: 'usage', usage };
        yield* answer.finish({ usage, ...mapCohereFinishReason(event.delta, answer) });
        return;
      }
      default:
        break;
    }
  }
  throw streamCut();
}

/** A document or a result of a tool is a page if it has a `url`; others have no place in other vendors' formats. */
function* mapCohereCitation(
  { start = 0, end = start, type = 'TEXT_CONTENT', sources = [] }: CohereCitation = {},
  text: CitedText,
): Generator<ProviderEvent> {
  if (type !== 'TEXT_CONTENT') return;
  const pages = readSources(sources.map(({ document, toolOutput }) => document ?? toolOutput));
  for (const page of pages) yield text.cite(page, start, end);
}

/** A turn with tool calls goes back with its thinking or its plan. Source: "Tool use", "Reasoning". */
function* closeReasoning(
  reasoning: ReasoningItems,
  field: 'thinking' | 'toolPlan',
): Generator<ProviderEvent> {
  const text = reasoning.close();
  if (text !== null) yield reasoning.data({ wire: 'cohere', value: { [field]: text } });
}

function* mapCohereContent(
  message: MessageDelta | undefined,
  answer: AnswerState,
  reasoning: ReasoningItems,
): Generator<ProviderEvent> {
  const { text, thinking } = message?.content ?? {};
  if (typeof thinking === 'string' && thinking !== '') yield reasoning.text(thinking);
  if (text === undefined || text === null || text === '') return;
  if (typeof text !== 'string') throw malformed('content that is not text');
  yield answer.text(text);
}

/** Ends of an answer that the vendor could not finish. */
const FAILED = /^(ERROR|ERROR_LIMIT|TIMEOUT|USER_CANCEL)$/i;

/** A reason that is not known ends an answer with content. */
function mapCohereFinishReason(
  { finishReason = '', error = '' }: NonNullable<CohereEvent['delta']> = {},
  { hasContent }: AnswerState,
): Ending & { readonly reason: FinishReason } {
  switch (finishReason.toUpperCase()) {
    case 'COMPLETE':
    case 'STOP_SEQUENCE':
      return { reason: 'stop' };
    case 'MAX_TOKENS':
      return { reason: 'length' };
    case 'TOOL_CALL':
      return { reason: 'tool-calls' };
    default:
      if (isFilter(`${finishReason} ${error}`))
        return { reason: 'content-filter', vendorReason: finishReason };
      if (hasContent && finishReason !== '' && !FAILED.test(finishReason))
        return { reason: 'stop', vendorReason: finishReason };
      throw new UnbrokenError('provider_unavailable', 'The provider ended the answer with an error.');
  }
}
