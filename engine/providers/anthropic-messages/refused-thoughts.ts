/**
 * Thoughts of earlier turns that the vendor does not accept: another account, vendor or gateway has signed them, or a
 * client has changed them. Clients send them again with each turn, so the conversation would be refused for good. What
 * the model may see of them is theirs to lose: the same request leaves once more without them. The vendor bills nothing
 * for a request that it refuses.
 */
import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
} from '@anthropic-ai/sdk/resources/messages';
import { isJsonObject } from '../../../contracts/json.ts';
import { badRequestWords } from '../http-errors.ts';

type Body = MessageCreateParamsStreaming;
interface ContextFields {
  readonly context_management?: unknown;
}

const REFUSED = new RegExp(
  [
    'invalid `?(?:signature|data)`? in `?(?:redacted_)?thinking',
    'thinking`? (?:or `?redacted_thinking`? )?blocks?\\b.{0,80}\\b(?:cannot be modified|must remain|bound to|must match)',
    'thinking\\.signature: field required',
    // In another order than the model had them, without the first of them, or without their words.
    '(?:expected|first block must be) `?thinking`? or `?redacted_thinking`?',
    'each thinking block must contain thinking',
  ].join('|'),
  'i',
);

/** Whether it says that thoughts in the conversation are not accepted. */
export function refusesThoughts(error: unknown): boolean {
  return REFUSED.test(badRequestWords(error) ?? '');
}

/** null if there is nothing to leave out: no thoughts in the conversation, and no thinking that continues from them. */
export function withoutThoughts(body: Body): Body | null {
  let hasThoughts = false;
  const messages = body.messages.flatMap((message): MessageParam[] => {
    if (typeof message.content === 'string') return [message];
    const content = message.content.filter((block) => !isThought(block));
    if (content.length === message.content.length) return [message];
    hasThoughts = true;
    return content.length === 0 ? [] : [{ ...message, content } as MessageParam];
  });
  // Thinking by budget must continue from them. Source: Anthropic, "Extended thinking".
  if (body.thinking?.type !== 'enabled') return hasThoughts ? { ...body, messages } : null;
  const { thinking: _, ...rest } = body;
  return { ...rest, ...editsWithoutThoughts(rest), messages };
}

function isThought({ type }: ContentBlockParam): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/**
 * The field without edits of thoughts, which are refused where nothing is thought ("Context editing"). No field for a
 * request that has no list of edits.
 */
export function editsWithoutThoughts(fields: object): ContextFields {
  const { context_management: context } = fields as ContextFields;
  if (!isJsonObject(context) || !Array.isArray(context['edits'])) return {};
  const edits = context['edits'].filter((edit) => !/^clear_thinking_/.test(String(Object(edit).type)));
  return { context_management: edits.length === 0 ? undefined : { ...context, edits } };
}
