/**
 * Replaces `item_reference` items by the items of stored responses that they name. Clients send them for what the
 * server has stored anyway: the assistant's turns of a conversation.
 */
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { type Item, isReference } from './items.ts';
import { contextOf, findResponse } from './load-response.ts';
import { ResponseProjection } from './project.ts';
import type { ResponseCreate } from './request.ts';
import { listInputItems } from './response-object.ts';

/** As `ResponseProjection` names the items of a response's output, and `listInputItems` those of its input. */
const ITEM_ID = /^[a-z]{2,4}_(?:in\d+_)?([0-9a-f]{32})(?:_\d+)?$/;

interface StoredItem {
  readonly id?: string | undefined;
}

/**
 * @param mayUse as in `findResponse`.
 * @throws not_found for an item that the caller may not see, with the place of the reference.
 */
export async function resolveReferences<Body extends ResponseCreate>(
  dependencies: ApiDependencies,
  caller: Caller,
  body: Body,
  mayUse?: (generationId: string) => boolean,
): Promise<Body> {
  if (!Array.isArray(body.input) || !body.input.some(isReference)) return body;
  const items = new StoredItems((hex) => loadItems(dependencies, caller, hex, mayUse));
  const input: Item[] = [];
  for (const [index, item] of body.input.entries()) {
    if (!isReference(item)) {
      input.push(item);
      continue;
    }
    const param = `input.${index}`;
    const found = await items.find(item.id);
    if (found === undefined) {
      throw new UnbrokenError('not_found', `${param}: there is no stored item ${item.id}.`, {
        details: { param },
      });
    }
    input.push({ ...found } as Item);
  }
  return { ...body, input };
}

/** The items of the responses that one request refers to: each response is read once, and all of them are bounded. */
class StoredItems {
  readonly #load: (hex: string) => Promise<readonly StoredItem[]>;
  readonly #byResponse = new Map<string, readonly StoredItem[]>();
  #bytes = 0;

  constructor(load: (hex: string) => Promise<readonly StoredItem[]>) {
    this.#load = load;
  }

  async find(id: string): Promise<StoredItem | undefined> {
    const hex = ITEM_ID.exec(id)?.[1];
    if (hex === undefined) return undefined;
    const items = this.#byResponse.get(hex) ?? (await this.#read(hex));
    return items.find((item) => item.id === id);
  }

  async #read(hex: string): Promise<readonly StoredItem[]> {
    const items = await this.#load(hex);
    this.#bytes += Buffer.byteLength(JSON.stringify(items));
    if (this.#bytes > LIMITS.requestBodyBytes) {
      throw new UnbrokenError(
        'body_too_large',
        `input: the responses that its items refer to hold more than ${LIMITS.requestBodyBytes} bytes.`,
        { details: { param: 'input' } },
      );
    }
    this.#byResponse.set(hex, items);
    return items;
  }
}

async function loadItems(
  dependencies: ApiDependencies,
  caller: Caller,
  hex: string,
  mayUse?: (generationId: string) => boolean,
): Promise<readonly StoredItem[]> {
  try {
    const head = await findResponse(dependencies, caller, `resp_${hex}`, mayUse);
    const [context, events] = await Promise.all([
      contextOf(dependencies, head),
      dependencies.log.readMerged(head.generationId),
    ]);
    const projection = new ResponseProjection(context);
    for (const event of events) projection.push(event);
    return [...listInputItems(context), ...projection.response().output];
  } catch (error) {
    if (error instanceof UnbrokenError && (error.code === 'not_found' || error.code === 'cursor_expired'))
      return [];
    throw error;
  }
}
