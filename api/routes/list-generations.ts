/** `GET /v1/generations?limit=`: the newest generations that the caller may read, from Temporal's visibility store. */
import type { RequestHandler } from 'express';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isUnstored } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';
import { temporalUnavailable } from '../generations/if-run-exists.ts';
import { pageQuerySchema, parseQuery } from '../http/read-request.ts';

export function listGenerations({ log, temporal }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const { limit } = parseQuery(request, pageQuerySchema);
    const { tenant, user, scopes } = callerIn(response);
    const ofUser = scopes.includes('any-user') ? '' : ` AND UnbrokenUser = "${user}"`;
    const ids: string[] = [];
    try {
      const runs = temporal.workflow.list({
        query: `UnbrokenTenant = "${tenant}"${ofUser}`,
        pageSize: limit,
      });
      for await (const run of runs) {
        if (ids.push(run.workflowId.slice(tenant.length + 1)) >= limit) break;
      }
    } catch (error) {
      throw temporalUnavailable(error);
    }
    const views = await Promise.all(
      ids.map(async (id) => {
        const head = await log.head(id);
        const isShown = head !== null && !head.erased && !isUnstored(head);
        return isShown ? readView(log, id, { withText: false }) : null;
      }),
    );
    response.json({ data: views.filter((view) => view !== null) });
  };
}
