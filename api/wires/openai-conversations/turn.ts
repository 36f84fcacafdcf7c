/**
 * The turn of a response in a stored conversation: it reads the items before it, and its own items are added once.
 *
 * The turn is reserved in the conversation before the log of its generation is created, under the same id, so both can
 * be repeated. Its items are those of the log: the next access to the conversation copies them once the log has ended.
 * A log that belongs to a conversation is kept as long as a conversation, until it was copied.
 */
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { AppendOutcome, ConversationHead } from '../../../engine/conversations/conversation-store.ts';
import type { Caller } from '../../access/api-keys.ts';
import { mayRead } from '../../access/may-read.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { readInTurn } from '../../generations/large-reads.ts';
import type { ReservedTurn } from '../../generations/submit-generation.ts';
import { type Item, mapInputItems } from '../openai-responses/items.ts';
import type { ResponseHistory } from '../openai-responses/request.ts';
import { responseId } from '../openai-responses/response-object.ts';
import { additionalToolsIn } from '../openai-responses/tools.ts';
import { addCounted } from './counted-bytes.ts';
import { isConversationId, itemsOfTurn } from './items.ts';

type Parts = Pick<ApiDependencies, 'config' | 'conversations' | 'log' | 'stored'>;

/** Finds a conversation that the caller may see, with the items of its last turn. @throws not_found */
export async function findConversation(
  parts: Parts,
  caller: Caller,
  id: string,
  param = 'conversation',
): Promise<ConversationHead> {
  const head = isConversationId(id) ? await parts.conversations.head(id) : null;
  if (head === null || !mayRead(caller, head) || caller.onlyGeneration !== undefined) {
    throw new UnbrokenError('not_found', `There is no conversation ${id}.`, { details: { param } });
  }
  return settlePending(parts, head);
}

/** For a response that is about to be deleted. */
export async function settleConversation(parts: Parts, id: string): Promise<void> {
  const head = await parts.conversations.head(id);
  if (head !== null) await settlePending(parts, head);
}

/** Copies the items of the last turn, if its generation has ended since. */
async function settlePending(parts: Parts, head: ConversationHead): Promise<ConversationHead> {
  const { conversations, log } = parts;
  const { id, pending } = head;
  if (pending === null) return head;
  const { generationId, reservedAtMs } = pending;
  const ended = await log.head(generationId);
  if (ended?.status === 'running') return head;
  const mayStillStart = ended === null && Date.now() - reservedAtMs < LIMITS.conversationTurnMs;
  if (mayStillStart) return head;
  const items = ended === null ? null : await itemsOfTurn(parts, ended);
  if (items === null) await conversations.abandon(id, generationId);
  else {
    const settle = async (untilHour: number): Promise<AppendOutcome> => {
      // Another request may do the same at this moment.
      const isFirst = await conversations.settle(id, { generationId, items, untilHour });
      return isFirst ? 'appended' : 'missing';
    };
    await addCounted(parts, head, items, settle).catch(async (error: unknown) => {
      if (!(error instanceof UnbrokenError) || error.code !== 'storage_exceeded') throw error;
      // A tenant without room for more has paid for this turn, so it is kept all the same.
      await settle(head.untilHour);
    });
  }
  if (ended !== null) await log.keepNoLonger(generationId);
  return (await conversations.head(id)) ?? head;
}

export function assertAppended(outcome: AppendOutcome, id: string): void {
  if (outcome === 'appended') return;
  if (outcome === 'missing') throw new UnbrokenError('not_found', `There is no conversation ${id}.`);
  const limits = `${LIMITS.conversationItems} items and ${LIMITS.conversationBytes} bytes`;
  throw new UnbrokenError(
    'body_too_large',
    `The conversation ${id} would have more than ${limits}; delete items, or begin another conversation.`,
  );
}

interface ConversationTurn extends ResponseHistory {
  readonly turn: ReservedTurn;
}

export async function openTurn(parts: Parts, caller: Caller, id: string): Promise<ConversationTurn> {
  const { config, conversations, log } = parts;
  const { tenant, bytes } = await findConversation(parts, caller, id);
  const items = await readInTurn(tenant, bytes, async () =>
    conversations.items(id, await conversations.itemIds(id)),
  );
  const messages = mapInputItems(items as unknown as readonly Item[]);
  return {
    messages,
    tools: additionalToolsIn(items as unknown as readonly Item[]),
    turn: {
      conversation: id,
      messagesBefore: messages.length,
      keptMs: Math.max(config.retention.conversationMs, config.retention.logMs),
      reserve: async (generationId) => {
        const outcome = await conversations.reserve(id, generationId);
        if (outcome === 'locked') throw await lockedError(parts, id);
        if (outcome === 'missing') assertAppended(outcome, id);
      },
      release: async (generationId) => {
        // A request that failed for lack of an answer may have created the log: then the turn is real.
        if ((await log.head(generationId)) === null) await conversations.abandon(id, generationId);
      },
    },
  };
}

async function lockedError({ conversations }: Parts, id: string): Promise<UnbrokenError> {
  const pending = (await conversations.head(id))?.pending ?? null;
  const by = pending === null ? 'Another response' : `The response ${responseId(pending.generationId)}`;
  return new UnbrokenError('conversation_locked', `${by} is running in the conversation ${id}.`, {
    details: { param: 'conversation' },
  });
}
