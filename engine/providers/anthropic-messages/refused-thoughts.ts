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

type Body = MessageCreateParamsStreaming;

const REFUSED =
  /invalid `?(?:signature|data)`? in `?(?:redacted_)?thinking|thinking`? (?:or `?redacted_thinking`? )?blocks?\b.{0,80}\b(?:cannot be modified|must remain|bound to|must match)|thinking\.signature: field required/i;

/** Whether it says that thoughts in the conversation are not accepted. */
export function refusesThoughts(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 400 && REFUSED.test(error.message);
}

/** null if the conversation has none. */
export function withoutThoughts(body: Body): Body | null {
  let hasThoughts = false;
  const messages = body.messages.flatMap((message): MessageParam[] => {
    if (typeof message.content === 'string') return [message];
    const content = message.content.filter((block) => !isThought(block));
    if (content.length === message.content.length) return [message];
    hasThoughts = true;
    return content.length === 0 ? [] : [{ ...message, content } as MessageParam];
  });
  if (!hasThoughts) return null;
  // Thinking by budget must continue from them. Source: Anthropic, "Extended thinking".
  if (body.thinking?.type !== 'enabled') return { ...body, messages };
  const { thinking: _, ...rest } = body;
  return { ...withoutEdits(rest), messages };
}

function isThought({ type }: ContentBlockParam): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

/** Edits of thoughts are refused where nothing is thought ("Context editing"). */
function withoutEdits(body: Body): Body {
  const context = (body as { context_management?: unknown }).context_management;
  if (!isJsonObject(context) || !Array.isArray(context['edits'])) return body;
  return { ...body, context_management: editsWithoutThoughts(context) } as Body;
}

/** undefined where nothing is left. */
export function editsWithoutThoughts(context: Record<string, unknown>): object | undefined {
  const all = Array.isArray(context['edits']) ? context['edits'] : [];
  const edits = all.filter((edit) => !/^clear_thinking_/.test(String(Object(edit).type)));
  return edits.length === 0 ? undefined : { ...context, edits };
}
