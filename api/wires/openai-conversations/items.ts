/** The items of a stored conversation: as a client adds them, and as a turn leaves them. */
import { randomBytes } from 'node:crypto';
import type { ConversationItem } from '../../../engine/conversations/conversation-store.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import type { Item } from '../openai-responses/items.ts';
import { contextOf } from '../openai-responses/load-response.ts';
import { ResponseProjection } from '../openai-responses/project.ts';
import { listInputItems } from '../openai-responses/response-items.ts';
import { withReasoningIncluded } from '../openai-responses/response-object.ts';

const CONVERSATION_ID = /^conv_[0-9a-f]{32}$/;
const ITEM_ID = /^[a-z]{2,4}_cv[0-9a-f]{16}_([0-9a-f]{32})$/;
const PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'ctco',
  reasoning: 'rs',
};

export function newConversationId(): string {
  return `conv_${randomBytes(16).toString('hex')}`;
}

export function isConversationId(id: string): boolean {
  return CONVERSATION_ID.test(id);
}

/** The conversation that an item was added to; null for the item of a response. */
export function conversationOfItem(itemId: string): string | null {
  const hex = ITEM_ID.exec(itemId)?.[1];
  return hex === undefined ? null : `conv_${hex}`;
}

/** An item as it is stored and listed: with an id, a status, and parts in place of a text. */
export function toStoredItem(item: Item, conversationId: string): ConversationItem {
  const { id: _, ...fields } = item as { id?: unknown; [field: string]: unknown };
  const type = typeof fields['type'] === 'string' ? fields['type'] : 'message';
  const hex = conversationId.slice('conv_'.length);
  const id = `${PREFIXES[type] ?? 'item'}_cv${randomBytes(8).toString('hex')}_${hex}`;
  const { content, role } = fields;
  if (type !== 'message' || typeof content !== 'string') return { status: 'completed', ...fields, id, type };
  const part =
    role === 'assistant'
      ? { type: 'output_text', text: content, annotations: [], logprobs: [] }
      : { type: 'input_text', text: content };
  return { status: 'completed', ...fields, id, type, content: [part] };
}

/** What an ended generation adds to its conversation; null for one that has failed or was cancelled. */
export async function itemsOfTurn(
  dependencies: Pick<ApiDependencies, 'log'>,
  head: LogHead,
): Promise<readonly ConversationItem[] | null> {
  if (head.erased || head.status === 'running' || head.status === 'cancelled') return null;
  const context = withReasoningIncluded(await contextOf(dependencies, head));
  const projection = new ResponseProjection(context);
  for (const event of await dependencies.log.readMerged(head.generationId)) projection.push(event);
  const { status, output } = projection.response();
  if (status !== 'completed' && status !== 'incomplete') return null;
  return [...listInputItems(context), ...output] as unknown as ConversationItem[];
}
