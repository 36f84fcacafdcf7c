/** The request of a turn: the whole conversation before it, and the settings. */
import type { Message } from '../../../../../contracts/content.ts';
import { isJson } from '../../../../../contracts/json.ts';
import type { GenerationRequest } from '../../../../typescript/index.ts';
import { type Conversation, type Settings, shownAttempt, type Turn } from './conversations.ts';

type Part = Exclude<Message['content'], string>[number];

/** @param index of the turn. Throws SyntaxError when the tools are not JSON. */
export function requestOf(
  { turns, settings }: Conversation,
  index: number,
): Omit<GenerationRequest, 'stream'> {
  const turn = turns[index];
  const before = turns.slice(0, index).flatMap(messagesOf);
  return {
    input: turn === undefined ? before : [...before, { role: 'user', content: partsOf(turn) }],
    ...optionsOf(settings),
  };
}

/** A turn without an answer is left out with its question: the roles must alternate. */
function messagesOf(turn: Turn): Message[] {
  const answer = shownAttempt(turn)?.answer ?? null;
  if (answer === null) return [];
  const content: Part[] = [
    ...(answer.text === '' ? [] : [{ type: 'text' as const, text: answer.text }]),
    ...(answer.refusal ? [{ type: 'text' as const, text: answer.refusal, isRefusal: true as const }] : []),
    ...answer.toolCalls.map(({ id, name, arguments: json }) => ({
      type: 'tool-call' as const,
      id,
      name,
      // A call that the cap cut has no whole arguments.
      arguments: isJson(json) ? json : '{}',
    })),
  ];
  if (content.length === 0) return [];
  return [
    { role: 'user', content: partsOf(turn) },
    { role: 'assistant', content },
  ];
}

function partsOf({ question, results }: Turn): string | Part[] {
  if (results.length === 0) return question;
  const text: Part[] = question === '' ? [] : [{ type: 'text', text: question }];
  return [...results.map(({ id, content }): Part => ({ type: 'tool-result', id, content })), ...text];
}

function optionsOf(settings: Settings): Omit<GenerationRequest, 'stream' | 'input'> {
  const { target, system, maxOutputTokens, reasoning, cache, tools } = settings;
  const name = target.slice(target.indexOf(':') + 1);
  return {
    cache: cache ? 'on' : 'off',
    ...(target.startsWith('model:') ? { model: name } : { route: name }),
    ...(system.trim() === '' ? {} : { system }),
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
    ...(reasoning === 'off' ? {} : { reasoning: { effort: reasoning } }),
    ...(tools.trim() === '' ? {} : { tools: JSON.parse(tools) }),
  };
}
