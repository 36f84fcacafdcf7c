/** `GET /v1/generations?limit=`: the newest generations that the caller may read, found by Temporal's visibility. */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isUnstored } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';

const MOST = 100;

export function listGenerations({ log, temporal }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const limit = limitOf(request.query['limit']);
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
      throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
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

function limitOf(given: unknown): number {
  if (given === undefined) return 20;
  const limit = typeof given === 'string' && /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (limit < 1 || limit > MOST) {
    throw new UnbrokenError('invalid_request', `limit: expected a whole number from 1 to ${MOST}.`);
  }
  return limit;
}
