/**
 * Replaces `item_reference` items by the items of stored responses that they name. Clients send them for what the
 * server has stored anyway: the assistant's turns of a conversation.
 */
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { readInTurn } from '../../generations/large-reads.ts';
import { conversationOfItem } from '../openai-conversations/items.ts';
import { findConversation } from '../openai-conversations/turn.ts';
import { type Item, isReference } from './items.ts';
import { contextOf, findResponse } from './load-response.ts';
import { ResponseProjection } from './project.ts';
import type { ResponseCreate } from './request.ts';
import { listInputItems } from './response-items.ts';
import { withReasoningIncluded } from './response-object.ts';

/** What finds the items that a reference can name. */
export type ReferenceDependencies = Pick<
  ApiDependencies,
  'config' | 'conversations' | 'log' | 'runs' | 'stored'
>;

/** As `ResponseProjection` names the items of a response's output, and `listInputItems` those of its input. */
const ITEM_ID = /^[a-z]{2,4}_(?:in\d+_)?([0-9a-f]{32})(?:_\d+)?$/;

interface StoredItem {
  readonly id?: string | undefined;
}

interface References {
  /** The field that has the items, for errors. */
  readonly list: string;
  /** As in `findResponse`. */
  readonly mayUse?: (generationId: string) => boolean;
}

/** The body with the items of its input in place of the references to them. */
export async function resolveInput<Body extends ResponseCreate>(
  dependencies: ReferenceDependencies,
  caller: Caller,
  body: Body,
  mayUse?: (generationId: string) => boolean,
): Promise<Body> {
  if (!Array.isArray(body.input)) return body;
  const references = { list: 'input', ...(mayUse === undefined ? {} : { mayUse }) };
  return { ...body, input: await resolveReferences(dependencies, caller, body.input, references) };
}

/** @throws not_found for an item that the caller may not see, with the place of the reference. */
export async function resolveReferences(
  dependencies: ReferenceDependencies,
  caller: Caller,
  items: readonly Item[],
  { list, mayUse }: References,
): Promise<readonly Item[]> {
  if (!items.some(isReference)) return items;
  const stored = new StoredItems((holder) => loadItems(dependencies, caller, holder, mayUse));
  const resolved: Item[] = [];
  for (const [index, item] of items.entries()) {
    if (!isReference(item)) {
      resolved.push(item);
      continue;
    }
    const param = `${list}.${index}`;
    const found = await stored.find(item.id);
    if (found === undefined) {
      throw new UnbrokenError('not_found', `${param}: there is no stored item ${item.id}.`, {
        details: { param },
      });
    }
    resolved.push({ ...found } as Item);
  }
  return resolved;
}

/**
 * What holds the items that one request refers to: each response and conversation is read once, within a limit. An item
 * counts at each reference to it: a short request may name a large one a thousand times.
 */
class StoredItems {
  readonly #load: (holder: string) => Promise<readonly StoredItem[]>;
  readonly #byHolder = new Map<string, ReadonlyMap<string | undefined, SizedItem>>();
  #bytesRead = 0;
  #bytesNamed = 0;

  constructor(load: (holder: string) => Promise<readonly StoredItem[]>) {
    this.#load = load;
  }

  /** @throws body_too_large */
  async find(id: string): Promise<StoredItem | undefined> {
    const hex = ITEM_ID.exec(id)?.[1];
    const holder = hex === undefined ? conversationOfItem(id) : `resp_${hex}`;
    if (holder === null) return undefined;
    const items = this.#byHolder.get(holder) ?? (await this.#read(holder));
    const found = items.get(id);
    this.#bytesNamed += found?.bytes ?? 0;
    refuseMany(this.#bytesNamed, 'The items that are referred to');
    return found?.item;
  }

  async #read(holder: string): Promise<ReadonlyMap<string | undefined, SizedItem>> {
    const items = new Map<string | undefined, SizedItem>();
    for (const item of await this.#load(holder)) {
      const bytes = Buffer.byteLength(JSON.stringify(item));
      this.#bytesRead += bytes;
      if (!items.has(item.id)) items.set(item.id, { item, bytes });
    }
    refuseMany(this.#bytesRead, 'The responses and conversations that the items refer to');
    this.#byHolder.set(holder, items);
    return items;
  }
}

interface SizedItem {
  readonly item: StoredItem;
  readonly bytes: number;
}

/** @throws body_too_large */
function refuseMany(bytes: number, what: string): void {
  if (bytes <= LIMITS.requestBodyBytes) return;
  throw new UnbrokenError('body_too_large', `${what} hold more than ${LIMITS.requestBodyBytes} bytes.`);
}

async function loadItems(
  dependencies: ReferenceDependencies,
  caller: Caller,
  holder: string,
  mayUse?: (generationId: string) => boolean,
): Promise<readonly StoredItem[]> {
  try {
    if (holder.startsWith('conv_')) {
      const { id, tenant, bytes } = await findConversation(dependencies, caller, holder);
      const { conversations } = dependencies;
      return await readInTurn(tenant, bytes, async () =>
        conversations.items(id, await conversations.itemIds(id)),
      );
    }
    const head = await findResponse(dependencies, caller, holder, mayUse);
    const [found, events] = await Promise.all([
      contextOf(dependencies, head),
      dependencies.log.readMerged(head.generationId),
    ]);
    const context = withReasoningIncluded(found);
    const projection = new ResponseProjection(context);
    for (const event of events) projection.push(event);
    return [...listInputItems(context), ...projection.response().output];
  } catch (error) {
    if (error instanceof UnbrokenError && (error.code === 'not_found' || error.code === 'cursor_expired'))
      return [];
    throw error;
  }
}
