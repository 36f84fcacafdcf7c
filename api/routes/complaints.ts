/**
 * `GET /v1/cache/complaints` and `DELETE /v1/cache/entries/:id/complaints/:generation`: the questions that never get a
 * stored answer again, and the end of such a quarantine. Both show the questions of all users of the tenant.
 */
import type { RequestHandler } from 'express';
import { type ComplaintView, entryIdSchema } from '../../contracts/cached-entries.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Complaint } from '../../engine/cache/complaints.ts';
import { assertScope, callerIn, hasScope } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { offsetPageQuerySchema, parseQuery } from '../http/read-request.ts';

type Dependencies = Pick<ApiDependencies, 'complaints'>;

export function listComplaints({ complaints }: Dependencies): RequestHandler {
  return async (request, response) => {
    const caller = callerIn(response);
    if (!hasScope(caller, 'admin')) assertScope(caller, 'any-user');
    const { limit, after } = parseQuery(request, offsetPageQuerySchema);
    const offset = Math.min(Number(after), LIMITS.complaintsPerTenant);
    const page = await complaints.list(caller.tenant, { offset, limit });
    response.json({
      data: page.complaints.map(toComplaintView),
      next: page.next === null ? null : String(page.next),
    });
  };
}

export function liftComplaint({
  complaints,
}: Dependencies): RequestHandler<{ id: string; generation: string }> {
  return async (request, response) => {
    const { id, generation } = request.params;
    const isId = entryIdSchema.safeParse(id).success;
    if (!isId || !(await complaints.lift(callerIn(response).tenant, id, generation))) {
      throw new UnbrokenError('not_found', `There is no complaint of ${generation} about ${id}.`);
    }
    response.json({ deleted: 1 });
  };
}

export function toComplaintView(complaint: Complaint): ComplaintView {
  const { entryId, generationId: generation, user, questions, storedQuestion, similarity, atMs } = complaint;
  return {
    entryId,
    generation,
    user,
    questions: questions && [...questions],
    storedQuestion,
    similarity,
    at: atMs,
  };
}
