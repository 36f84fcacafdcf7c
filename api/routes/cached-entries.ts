/**
 * `GET /v1/cache/entries` and `/v1/cache/entries/:id`: finds and reads stored answers. Keys with the scope `admin` or
 * `any-user` see those of their tenant; all others see those of the key's user.
 */
import type { RequestHandler } from 'express';
import { cachedEntriesFilterSchema, entryIdSchema } from '../../contracts/cached-entries.ts';
import { parseCandidate } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn, visibleUser } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { orCacheUnavailable } from '../generations/delete-stored-answers.ts';
import { pageQuerySchema, parseQuery } from '../http/read-request.ts';

export const cachedEntriesQuerySchema = cachedEntriesFilterSchema.safeExtend(pageQuerySchema.shape);

type Dependencies = Pick<ApiDependencies, 'storedEntries'>;

export function listCachedEntries({ storedEntries }: Dependencies): RequestHandler {
  return async (request, response) => {
    const { text, like, after, user, model, limit } = parseQuery(request, cachedEntriesQuerySchema);
    const caller = callerIn(response);
    const owner = { tenant: caller.tenant, user: visibleUser(caller, user) };
    const search = { ...owner, model: modelOf(model), limit };
    if (text !== undefined) {
      const data = await orCacheUnavailable(storedEntries.searchText(search, text));
      response.json({ data, next: null });
      return;
    }
    if (like === undefined) {
      response.json(await orCacheUnavailable(storedEntries.list(search, after)));
      return;
    }
    const data = await orCacheUnavailable(storedEntries.searchLike(search, like));
    if (data === null) throw noSuchEntry(like);
    response.json({ data, next: null });
  };
}

export function getCachedEntry({ storedEntries }: Dependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = request.params;
    const caller = callerIn(response);
    const owner = { tenant: caller.tenant, user: visibleUser(caller, undefined) };
    const isId = entryIdSchema.safeParse(id).success;
    const entry = isId ? await orCacheUnavailable(storedEntries.read(owner, id)) : null;
    if (entry === null) throw noSuchEntry(id);
    response.json(entry);
  };
}

export function noSuchEntry(id: string): UnbrokenError {
  return new UnbrokenError('not_found', `There is no stored answer ${id}.`);
}

/** @throws invalid_request */
function modelOf(name: string | undefined) {
  if (name === undefined) return undefined;
  const candidate = parseCandidate(name);
  if (candidate === null) throw new UnbrokenError('invalid_request', 'model: expected provider/model.');
  return candidate;
}
