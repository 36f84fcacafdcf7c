/**
 * `DELETE /v1/cache`, `/v1/cache/users/:user` and `/v1/cache/entries/:id`: delete stored answers of the caller's
 * tenant, such as a wrong answer, the data of a user, or all of a tenant that leaves.
 */
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { DeletedEntries } from '../../engine/cache/answer-cache.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function deleteCachedAnswers(dependencies: ApiDependencies): RequestHandler {
  return async (_request, response) => {
    response.json(await deleted(dependencies, { tenant: callerIn(response).tenant }));
  };
}

export function deleteCachedAnswersOfUser(dependencies: ApiDependencies): RequestHandler<{ user: string }> {
  return async (request, response) => {
    const { tenant } = callerIn(response);
    response.json(await deleted(dependencies, { tenant, user: request.params.user }));
  };
}

export function deleteCachedAnswer(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { id } = request.params;
    const { tenant } = callerIn(response);
    const result = UUID.test(id) ? await deleted(dependencies, { tenant, entryId: id }) : { deleted: 0 };
    if (result.deleted === 0) throw new UnbrokenError('not_found', `There is no stored answer ${id}.`);
    response.json(result);
  };
}

async function deleted(
  { cachedAnswers }: ApiDependencies,
  entries: DeletedEntries,
): Promise<{ deleted: number }> {
  try {
    return { deleted: await cachedAnswers.delete(entries) };
  } catch (error) {
    throw new UnbrokenError(
      'service_unavailable',
      'Qdrant does not answer; the deletion may be incomplete.',
      {
        cause: error,
      },
    );
  }
}
