/** The items of conversations count as what their tenant keeps: from before they are added until they are deleted. */
import type {
  AppendOutcome,
  ConversationHead,
  ConversationItem,
} from '../../../engine/conversations/conversation-store.ts';
import type { ApiDependencies } from '../../dependencies.ts';

type Counting = Pick<ApiDependencies, 'config' | 'conversations' | 'stored'>;
type Counted = Pick<ConversationHead, 'tenant' | 'bytes' | 'untilHour'>;

/**
 * @param add gets the hour until which all of the conversation counts now. What it does not add counts no longer.
 * @throws storage_exceeded
 */
export async function addCounted(
  { config, stored }: Pick<Counting, 'config' | 'stored'>,
  { tenant, bytes, untilHour }: Counted,
  items: readonly ConversationItem[],
  add: (untilHour: number) => Promise<AppendOutcome>,
): Promise<AppendOutcome> {
  const added = items.reduce((sum, item) => sum + Buffer.byteLength(JSON.stringify(item)), 0);
  const counted = await stored.takeInput(tenant, added, config.retention.conversationMs);
  const outcome = await add(counted.untilHour);
  if (outcome === 'appended') await stored.moveInput(tenant, { bytes, untilHour }, counted.untilHour);
  else await stored.dropInput(tenant, counted);
  return outcome;
}

/** @returns false if there is no such item. */
export async function deleteCountedItem(
  { conversations, stored }: Pick<Counting, 'conversations' | 'stored'>,
  { id, tenant, untilHour }: Pick<ConversationHead, 'id' | 'tenant' | 'untilHour'>,
  itemId: string,
): Promise<boolean> {
  const bytes = await conversations.deleteItem(id, itemId);
  if (bytes !== null) await stored.dropInput(tenant, { bytes, untilHour });
  return bytes !== null;
}

/** Of several requests at once, one deletes it. */
export async function deleteCounted(
  { conversations, stored }: Pick<Counting, 'conversations' | 'stored'>,
  { id, tenant, bytes, untilHour }: ConversationHead,
): Promise<void> {
  if (await conversations.delete(id)) await stored.dropInput(tenant, { bytes, untilHour });
}
