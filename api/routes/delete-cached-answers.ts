/**
 * `DELETE /v1/cache`, `/v1/cache/users/:user` and `/v1/cache/entries/:id`: delete stored answers of the caller's
 * tenant, such as a wrong answer, the data of a user, or all of a tenant that leaves.
 */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deleteStoredAnswers } from '../generations/delete-stored-answers.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function deleteCachedAnswers({ cachedAnswers }: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    const { tenant } = callerIn(response);
    response.json({ deleted: await deleteStoredAnswers(cachedAnswers, { tenant }) });
  };
}

export function deleteCachedAnswersOfUser({
  cachedAnswers,
}: ApiDependencies): RequestHandler<{ user: string }> {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    const { user } = request.params;
    response.json({ deleted: await deleteStoredAnswers(cachedAnswers, { tenant, user }) });
  };
}

export function deleteCachedAnswer({ cachedAnswers }: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = request.params;
    const { tenant } = callerIn(response);
    const deleted = UUID.test(id) ? await deleteStoredAnswers(cachedAnswers, { tenant, entryId: id }) : 0;
    if (deleted === 0) throw new UnbrokenError('not_found', `There is no stored answer ${id}.`);
    response.json({ deleted });
  };
}
