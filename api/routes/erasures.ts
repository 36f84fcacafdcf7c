/** Erasure: of a generation, a job, or everything of a user; and the receipts. */
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { DeletedGeneration, ErasureView } from '../../contracts/erasure.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { principalNameSchema } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { subjectOf } from '../../engine/erasure/redis-erasures.ts';
import type { Caller } from '../access/api-keys.ts';
import { assertScope, callerIn, seesTenant } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { startErasure } from '../erasures/start-erasure.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { removeGeneration } from '../generations/remove-generation.ts';
import { pageLimitSchema, parseQuery, parseWith } from '../http/read-request.ts';
import { findJob } from '../jobs/find-job.ts';

export const erasuresQuerySchema = z.strictObject({
  limit: pageLimitSchema({ most: 100, byDefault: 20 }),
  after: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe('`next` of the page before'),
  user: principalNameSchema
    .optional()
    .describe('Only erasures of this user; needs the scope admin or any-user.'),
});

const ID = /^erase_[0-9a-f]{32}$/;

/** `DELETE /v1/users/:user/data`: 202 with the receipt, by a key of this user or of an admin. */
export function eraseUser(dependencies: ApiDependencies): RequestHandler<{ user: string }> {
  return async (request, response) => {
    const caller = callerIn(response);
    const user = parseWith(principalNameSchema, request.params.user, 'user');
    if (user !== caller.user) assertScope(caller, 'admin');
    const receipt = await startErasure(dependencies, { tenant: caller.tenant, user, jobId: null });
    response.status(202).location(pathOf(receipt)).json(receipt);
  };
}

/** `DELETE /v1/jobs/:id`: 202 with the receipt. */
export function eraseJob(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const { tenant, user, jobId } = await findJob(dependencies, callerIn(response), request.params.id);
    const receipt = await startErasure(dependencies, { tenant, user, jobId });
    response.status(202).location(pathOf(receipt)).json(receipt);
  };
}

function pathOf({ id }: ErasureView): string {
  return `/v1/erasures/${id}`;
}

/** `DELETE /v1/generations/:id`: 200 once it is gone; one that is slow to end is hidden, and erased as it ends. */
export function deleteGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    const { removed, remains } = await removeGeneration(dependencies, head);
    const { generationId: id } = head;
    const deleted = { id, object: 'generation', deleted: true, removed, remains } as const;
    response.json(deleted satisfies DeletedGeneration);
  };
}

/** `GET /v1/erasures`, the newest first: those of the tenant, or of the key's own user. */
export function listErasures({ erasures }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const caller = callerIn(response);
    const { limit, after, user } = parseQuery(request, erasuresQuerySchema);
    const { tenant } = caller;
    if (user !== undefined && user !== caller.user && !seesTenant(caller)) {
      throw new UnbrokenError('forbidden', 'This needs a key with the scope admin or any-user.');
    }
    const of = user ?? (seesTenant(caller) ? undefined : caller.user);
    const before = after === undefined ? null : Number(after);
    const page = await erasures.list(tenant, { limit, before });
    const subject = of === undefined ? null : subjectOf({ tenant, user: of });
    const data = page.filter((receipt) => subject === null || receipt.subject === subject);
    const next = page.length < limit ? null : String(page.at(-1)?.createdAt);
    response.json({ data, next });
  };
}

/** `GET /v1/erasures/:id`: the receipt. */
export function getErasure({ erasures }: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const caller = callerIn(response);
    const { id } = request.params;
    const receipt = ID.test(id) ? await erasures.view(caller.tenant, id) : null;
    if (receipt === null || !maySee(caller, receipt)) {
      throw new UnbrokenError('not_found', `There is no erasure ${id.slice(0, LIMITS.idChars)}.`);
    }
    response.json(receipt);
  };
}

function maySee(caller: Caller, { subject }: ErasureView): boolean {
  return seesTenant(caller) || subject === subjectOf(caller);
}
