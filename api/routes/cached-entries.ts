/**
 * `GET /v1/cache/entries` and `/v1/cache/entries/:id`: finds and reads stored answers. Keys with the scope `admin` or
 * `any-user` see those of their tenant; all others see those of the key's user.
 */
import type { RequestHandler } from 'express';
import {
  type CachedEntry,
  cachedEntriesFilterSchema,
  entryIdSchema,
  type WholeCachedEntry,
} from '../../contracts/cached-entries.ts';
import { parseCandidate } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { StoredEntry } from '../../engine/cache/stored-entries.ts';
import { callerIn, visibleUser } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { orCacheUnavailable } from '../generations/delete-stored-answers.ts';
import { pageQuerySchema, parseQuery } from '../http/read-request.ts';
import { toComplaintView } from './complaints.ts';

export const cachedEntriesQuerySchema = cachedEntriesFilterSchema.safeExtend(pageQuerySchema.shape);

type Dependencies = Pick<ApiDependencies, 'storedEntries' | 'complaints'>;

export function listCachedEntries({ storedEntries, complaints }: Dependencies): RequestHandler {
  return async (request, response) => {
    const { text, like, after, user, model, limit } = parseQuery(request, cachedEntriesQuerySchema);
    const caller = callerIn(response);
    const owner = { tenant: caller.tenant, user: visibleUser(caller, user) };
    const search = { ...owner, model: modelOf(model), limit };
    const withComplaints = async (entries: readonly StoredEntry[]): Promise<CachedEntry[]> => {
      const ids = entries.map(({ id }) => id);
      const found = await complaints.of(caller.tenant, ids);
      return entries.map((entry) => ({ ...entry, complaints: found.get(entry.id)?.length ?? 0 }));
    };
    if (text !== undefined) {
      const data = await orCacheUnavailable(storedEntries.searchText(search, text));
      response.json({ data: await withComplaints(data), next: null });
      return;
    }
    if (like === undefined) {
      const { data, next } = await orCacheUnavailable(storedEntries.list(search, after));
      response.json({ data: await withComplaints(data), next });
      return;
    }
    const data = await orCacheUnavailable(storedEntries.searchLike(search, like));
    if (data === null) throw noSuchEntry(like);
    response.json({ data: await withComplaints(data), next: null });
  };
}

/** A key of one user sees the complaints of that user: the others would show what other users ask. */
export function getCachedEntry({ storedEntries, complaints }: Dependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = request.params;
    const caller = callerIn(response);
    const owner = { tenant: caller.tenant, user: visibleUser(caller, undefined) };
    const isId = entryIdSchema.safeParse(id).success;
    const entry = isId ? await orCacheUnavailable(storedEntries.read(owner, id)) : null;
    if (entry === null) throw noSuchEntry(id);
    const about = (await complaints.of(caller.tenant, [id])).get(id) ?? [];
    const { user } = owner;
    const shown = user === undefined ? about : about.filter((complaint) => complaint.user === user);
    const quarantined = shown.map(toComplaintView);
    response.json({ ...entry, complaints: about.length, quarantined } satisfies WholeCachedEntry);
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
