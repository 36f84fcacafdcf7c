/**
 * `GET /v1/usage`, `/v1/usage/latencies` and `/v1/usage/failures`. Keys with the scope `admin` or `any-user` see their
 * tenant; all others see what their own user has used.
 */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn, seesTenant, visibleUser } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseQuery } from '../../http/read-request.ts';
import { failuresQuerySchema, latenciesQuerySchema, periodOf, usageQuerySchema } from './queries.ts';

type Dependencies = Pick<ApiDependencies, 'usage'>;

export function getUsage({ usage }: Dependencies): RequestHandler {
  return async (request, response) => {
    const caller = callerIn(response);
    const { by = null, limit, after = '0', user, ...query } = parseQuery(request, usageQuerySchema);
    const { team, key, model, prompt } = query;
    const only = { user: visibleUser(caller, user), team, key, model, prompt };
    const hasUsers = by === 'user' || by === 'key' || only.user !== undefined || key !== undefined;
    if (query.each === 'hour' && hasUsers) {
      throw new UnbrokenError('invalid_request', 'each: usage by the hour is kept without users and keys.');
    }
    const period = checkedPeriod(query);
    response.json(await usage.usage(caller.tenant, { ...period, by, only, limit, skip: Number(after) }));
  };
}

export function getLatencies({ usage }: Dependencies): RequestHandler {
  return async (request, response) => {
    const { model, ...query } = parseQuery(request, latenciesQuerySchema);
    const caller = callerIn(response);
    assertSeesTenant(caller);
    response.json(await usage.latencies(caller.tenant, checkedPeriod(query), model));
  };
}

export function getFailures({ usage }: Dependencies): RequestHandler {
  return async (request, response) => {
    const query = parseQuery(request, failuresQuerySchema);
    const caller = callerIn(response);
    assertSeesTenant(caller);
    response.json(await usage.failures(caller.tenant, checkedPeriod(query)));
  };
}

/** @throws invalid_request */
function checkedPeriod(query: Parameters<typeof periodOf>[0]) {
  const { fault, ...period } = periodOf(query, Date.now());
  if (fault !== undefined) throw new UnbrokenError('invalid_request', `${fault}.`);
  return period;
}

/** @throws forbidden */
function assertSeesTenant(caller: Caller): void {
  if (seesTenant(caller)) return;
  throw new UnbrokenError('forbidden', 'This needs a key with the scope admin or any-user.');
}
