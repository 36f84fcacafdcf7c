/** `/v1/budgets/limits`: the limits of the caller's tenant, including those of the config. Scope: admin. */
import type { RequestHandler } from 'express';
import { budgetKeySchema, budgetLimitSchema, nameOfBudget } from '../../../contracts/budgets.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseBody, parseQuery } from '../../http/read-request.ts';
import { limitsQuerySchema } from './queries.ts';

/** `GET`: sorted by name, in pages. */
export function listLimits({ accounts }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const { limit, after } = parseQuery(request, limitsQuerySchema);
    const all = await accounts.listLimits(callerIn(response).tenant);
    const rest = all
      .map((budgetLimit) => ({ name: nameOfBudget(budgetLimit), ...budgetLimit }))
      .filter(({ name }) => after === undefined || name > after);
    const data = rest.slice(0, limit);
    response.json({ data, next: rest.length > limit ? (data.at(-1)?.name ?? null) : null });
  };
}

/** `PUT`: sets or changes a limit. It applies from the next reservation on. */
export function setLimit({ accounts }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const limit = parseBody(request, budgetLimitSchema);
    await accounts.limits.set(callerIn(response).tenant, limit);
    response.json({ name: nameOfBudget(limit), ...limit, source: 'set' });
  };
}

/** `DELETE ?per=&id=&window=&unit=`: removes a limit; that of the config applies again, if there is one. */
export function removeLimit({ accounts }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const key = parseQuery(request, budgetKeySchema);
    if (!(await accounts.limits.remove(callerIn(response).tenant, key))) {
      throw new UnbrokenError('not_found', `The limit ${nameOfBudget(key)} is not set here.`);
    }
    response.status(204).end();
  };
}
