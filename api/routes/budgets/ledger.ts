/** The budget ledger: its balances, its entries, and the audit of one against the other. Scope: admin. */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { DAY_MS, dayOf } from '../../../contracts/time.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { releaseOrphans } from '../../generations/release-orphans.ts';
import { parseBody, parseQuery } from '../../http/read-request.ts';
import { balancesQuerySchema, entriesQuerySchema, reconcileSchema } from './queries.ts';

/** Longest period of one query. */
const MOST_DAYS = 366;

/** `GET /v1/budgets/balances?per=user&id=ann`: every stored window of one user, team or key. */
export function getBalances({ accounts }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const { per, id } = parseQuery(request, balancesQuerySchema);
    response.json({ per, id, data: await accounts.balances(callerIn(response).tenant, per, id) });
  };
}

/** `GET /v1/budgets/entries`: oldest first, of the days `from` to `until` (UTC; today if both are absent), in pages. */
export function listEntries({ accounts }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const { per, id, limit, after, generation, ...days } = parseQuery(request, entriesQuerySchema);
    const today = dayOf(Date.now());
    const from = days.from ?? days.until ?? today;
    const until = days.until ?? from;
    if (from > until || Date.parse(until) - Date.parse(from) > MOST_DAYS * DAY_MS) {
      throw new UnbrokenError(
        'invalid_request',
        `until: expected a day from ${from} on, at most ${MOST_DAYS} later.`,
      );
    }
    const subject = per === undefined || id === undefined ? undefined : { per, id };
    const query = { from, until, limit, after, generation, subject };
    response.json(await accounts.entries(callerIn(response).tenant, query));
  };
}

/** `POST /v1/budgets/reconcile`: recomputes all balances from entries; with `repair` it also corrects them. */
export function reconcileBudgets(dependencies: ApiDependencies): RequestHandler {
  const { accounts } = dependencies;
  return async (request, response) => {
    const { repair } = parseBody(request, reconcileSchema);
    const { tenant } = callerIn(response);
    // Orphans first, so that the sums include what they release.
    const orphans = await releaseOrphans(dependencies, tenant, { repair });
    response.json({ repaired: repair, ...(await accounts.audit(tenant, { repair })), orphans });
  };
}
