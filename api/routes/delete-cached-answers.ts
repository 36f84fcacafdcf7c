/**
 * `DELETE /v1/cache`, `/v1/cache/users/:user` and `/v1/cache/entries/:id`: delete stored answers of the caller's
 * tenant, such as a wrong answer, the data of a user, or all of a tenant that leaves. One entry may also be deleted by
 * a key without the scope `admin` that may read it.
 */
import type { RequestHandler } from 'express';
import { entryIdSchema } from '../../contracts/cached-entries.ts';
import { callerIn, visibleUser } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deleteStoredAnswers } from '../generations/delete-stored-answers.ts';
import { noSuchEntry } from './cached-entries.ts';

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
    const caller = callerIn(response);
    const entry = { tenant: caller.tenant, user: visibleUser(caller, undefined), entryId: id };
    const isId = entryIdSchema.safeParse(id).success;
    const deleted = isId ? await deleteStoredAnswers(cachedAnswers, entry) : 0;
    if (deleted === 0) throw noSuchEntry(id);
    response.json({ deleted });
  };
}
