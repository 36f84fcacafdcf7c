/** A page of items, as OpenAI lists the input of a response and the items of a conversation. */
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { idPage } from '../../http/id-page.ts';
import { pageLimitSchema } from '../../http/read-request.ts';

/** `order` defaults to `desc`, as in OpenAI's API. `include` asks for nothing that items here have. */
export const itemsQuerySchema = z.object({
  limit: pageLimitSchema({ most: 100, byDefault: 20 }),
  order: z.enum(['asc', 'desc']).default('desc'),
  after: z.string().max(LIMITS.idChars).optional(),
});

interface StoredItem {
  readonly id?: string | undefined;
}

/**
 * @param items oldest first, or what stands for them.
 * @throws invalid_request for an `after` that is not one of them.
 */
export function pageOfItems<Item extends StoredItem>(
  items: readonly Item[],
  { order, limit, after }: z.output<typeof itemsQuerySchema>,
) {
  const ordered = order === 'asc' ? items : items.toReversed();
  const last = after === undefined ? -1 : ordered.findIndex(({ id }) => id === after);
  if (after !== undefined && last < 0) {
    throw new UnbrokenError('invalid_request', `after: there is no item ${after} in this list.`, {
      details: { param: 'after' },
    });
  }
  const data = ordered.slice(last + 1, last + 1 + limit);
  return { object: 'list', ...idPage(data, { hasMore: last + 1 + limit < ordered.length }) };
}
