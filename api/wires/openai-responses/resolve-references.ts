/**
 * Replaces `item_reference` items by the items of stored responses that they name. Clients send them for what the
 * server has stored anyway: the assistant's turns of a conversation.
 */
import type { ResponseOutputItem } from 'openai/resources/responses/responses';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { type Item, isReference } from './items.ts';
import { contextOf, findResponse } from './load-response.ts';
import { ResponseProjection } from './project.ts';
import type { ResponseCreate } from './request.ts';

/** As `ResponseProjection` names the items of a response. */
const ITEM_ID = /^(?:msg|rs|fc)_([0-9a-f]{32})_\d+$/;

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
  const outputs = new Map<string, Promise<readonly ResponseOutputItem[]>>();
  const outputOf = (generation: string) => {
    const known = outputs.get(generation) ?? loadOutput(dependencies, caller, generation, mayUse);
    outputs.set(generation, known);
    return known;
  };
  const input: Item[] = [];
  for (const [index, item] of body.input.entries()) {
    if (!isReference(item)) {
      input.push(item);
      continue;
    }
    const param = `input.${index}`;
    const generation = ITEM_ID.exec(item.id)?.[1];
    const output = generation === undefined ? [] : await outputOf(generation);
    const found = output.find(({ id }) => id === item.id);
    if (found === undefined) {
      throw new UnbrokenError('not_found', `${param}: there is no stored item ${item.id}.`, {
        details: { param },
      });
    }
    input.push({ ...found } as Item);
  }
  return { ...body, input };
}

async function loadOutput(
  dependencies: ApiDependencies,
  caller: Caller,
  hex: string,
  mayUse?: (generationId: string) => boolean,
): Promise<readonly ResponseOutputItem[]> {
  try {
    const head = await findResponse(dependencies, caller, `resp_${hex}`, mayUse);
    const [context, events] = await Promise.all([
      contextOf(dependencies, head),
      dependencies.log.readMerged(head.generationId),
    ]);
    const projection = new ResponseProjection(context);
    for (const event of events) projection.push(event);
    return projection.response().output;
  } catch (error) {
    if (error instanceof UnbrokenError && (error.code === 'not_found' || error.code === 'cursor_expired'))
      return [];
    throw error;
  }
}
