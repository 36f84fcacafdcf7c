/**
 * `GET /v1/generations`: the newest generations that the caller may read, in pages, by user, model, status, prompt and
 * time. Without `any-user` these are those of the caller's own user.
 */
import type { RequestHandler } from 'express';
import { generationFilterSchema } from '../../contracts/generation-search.ts';
import { callerIn, userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isUnstored } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';
import { searchRuns } from '../generations/search-runs.ts';
import { pageQuerySchema, parseQuery } from '../http/read-request.ts';

export const generationsQuerySchema = generationFilterSchema.extend(pageQuerySchema.shape);

export function listGenerations({ log, temporal }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const { limit, after, ...filter } = parseQuery(request, generationsQuerySchema);
    const caller = callerIn(response);
    const { tenant, scopes } = caller;
    const user = scopes.includes('any-user') ? filter.user : userFor(caller, filter.user);
    const { ids, next } = await searchRuns(temporal, { tenant, filter: { ...filter, user }, limit, after });
    const views = await Promise.all(
      ids.map(async (id) => {
        const head = await log.head(id);
        const isShown = head !== null && !head.erased && !isUnstored(head);
        return isShown ? readView(log, id, { withText: false }) : null;
      }),
    );
    response.json({ data: views.filter((view) => view !== null), next });
  };
}
