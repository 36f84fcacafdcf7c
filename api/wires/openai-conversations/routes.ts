/** OpenAI's Conversations API. Source: the official client, resources/conversations. */
import type { Request, Response, Router } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { metadataSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { ConversationHead, ConversationItem } from '../../../engine/conversations/conversation-store.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { idPage } from '../../http/id-page.ts';
import { parseBody, parseQuery } from '../../http/read-request.ts';
import { itemsQuerySchema, pageOfItems } from '../openai-responses/item-page.ts';
import { itemSchema, refuseFileIds } from '../openai-responses/items.ts';
import { resolveReferences } from '../openai-responses/resolve-references.ts';
import { addCounted, deleteCounted, deleteCountedItem } from './counted-bytes.ts';
import { newConversationId, toStoredItem } from './items.ts';
import { assertAppended, findConversation } from './turn.ts';

const itemsSchema = z.array(itemSchema).max(LIMITS.conversationItems);
export const newConversationSchema = z.object({
  items: itemsSchema.nullish(),
  metadata: metadataSchema.nullish(),
});
export const conversationUpdateSchema = z.object({ metadata: metadataSchema.nullable() });
export const newItemsSchema = z.object({ items: itemsSchema.min(1) });

export function addConversationRoutes(v1: Router, dependencies: ApiDependencies): void {
  const { conversations } = dependencies;
  const find = (request: Request<{ id: string }>, response: Response) =>
    findConversation(dependencies, callerIn(response), request.params.id);

  v1.post('/conversations', async (request, response) => {
    response.json(await createConversation(dependencies, request, response));
  });
  v1.get('/conversations/:id', async (request, response) => {
    response.json(conversationObject(await find(request, response)));
  });
  v1.post('/conversations/:id', async (request, response) => {
    const head = await find(request, response);
    const metadata = parseBody(request, conversationUpdateSchema).metadata ?? {};
    if (!(await conversations.setMetadata(head.id, metadata))) assertAppended('missing', head.id);
    response.json(conversationObject({ ...head, metadata }));
  });
  v1.delete('/conversations/:id', async (request, response) => {
    const head = await find(request, response);
    const { id, pending } = head;
    await deleteCounted(dependencies, head);
    if (pending !== null) await dependencies.log.keepNoLonger(pending.generationId);
    response.json({ id, object: 'conversation.deleted', deleted: true });
  });

  v1.post('/conversations/:id/items', async (request, response) => {
    const head = await find(request, response);
    const { items } = parseBody(request, newItemsSchema);
    const added = await toStored(dependencies, response, items, head.id);
    const append = (untilHour: number) => conversations.append(head.id, added, untilHour);
    assertAppended(await addCounted(dependencies, head, added, append), head.id);
    response.json({ object: 'list', ...idPage(added, { hasMore: false }) });
  });
  v1.get('/conversations/:id/items', async (request, response) => {
    const { id } = await find(request, response);
    const query = parseQuery(request, itemsQuerySchema);
    const { data: places, ...page } = pageOfItems(await conversations.itemIds(id), query);
    response.json({ ...page, data: await conversations.items(id, places) });
  });
  v1.get('/conversations/:id/items/:item', async (request, response) => {
    const { id } = await find(request, response);
    response.json(await itemIn(dependencies, id, request.params.item));
  });
  v1.delete('/conversations/:id/items/:item', async (request, response) => {
    const head = await find(request, response);
    const { item } = request.params;
    if (!(await deleteCountedItem(dependencies, head, item))) throw itemNotFound(head.id, item);
    response.json(conversationObject(head));
  });
}

async function createConversation(dependencies: ApiDependencies, request: Request, response: Response) {
  const { items, metadata } = parseBody(request, newConversationSchema);
  const { tenant, user } = callerIn(response);
  const id = newConversationId();
  const added = await toStored(dependencies, response, items ?? [], id);
  const owned = { id, tenant, user, metadata: metadata ?? {} };
  const create = (untilHour: number) => dependencies.conversations.create({ ...owned, untilHour }, added);
  assertAppended(await addCounted(dependencies, { tenant, bytes: 0, untilHour: 0 }, added, create), id);
  const created = await dependencies.conversations.head(id);
  return conversationObject(created ?? { ...owned, createdAtMs: Date.now() });
}

async function toStored(
  dependencies: ApiDependencies,
  response: Response,
  items: z.output<typeof itemsSchema>,
  conversationId: string,
): Promise<readonly ConversationItem[]> {
  refuseFileIds(items, 'items');
  const input = await resolveReferences(dependencies, callerIn(response), items, { list: 'items' });
  return input.map((item) => toStoredItem(item, conversationId));
}

async function itemIn({ conversations }: ApiDependencies, id: string, itemId: string) {
  const places = (await conversations.itemIds(id)).filter((place) => place.id === itemId);
  const [item] = await conversations.items(id, places);
  if (item === undefined) throw itemNotFound(id, itemId);
  return item;
}

function itemNotFound(id: string, itemId: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no item ${itemId} in the conversation ${id}.`);
}

function conversationObject({
  id,
  createdAtMs,
  metadata,
}: Pick<ConversationHead, 'id' | 'createdAtMs' | 'metadata'>) {
  return { id, object: 'conversation', created_at: Math.floor(createdAtMs / 1_000), metadata };
}
