/** `/v1/batches`: the lines of a file, each a generation. Source: the official client, resources/batches. */
import type { Request, Router } from 'express';
import { z } from 'zod';
import { batchCreateSchema } from '../../../contracts/batch-request.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { type BatchHead, batchFormats } from '../../../engine/batches/batch-store.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn, seesTenant } from '../../access/authenticate.ts';
import { batchSpec, findInput } from '../../batches/batch-spec.ts';
import { cancelBatch, findBatch, formatOfId } from '../../batches/find-batch.ts';
import { batchMode, lineHeaders } from '../../batches/line-headers.ts';
import {
  assertMayOpen,
  type BatchRequest,
  batchIdFor,
  findEarlierTry,
  findKeyed,
  startBatch,
} from '../../batches/start-batch.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { RETRY_COUNT_HEADER } from '../../generations/client-retries.ts';
import { hashRequest } from '../../generations/generation-id.ts';
import { idPage } from '../../http/id-page.ts';
import { pageLimitSchema, parseBody, parseQuery, requireJson } from '../../http/read-request.ts';
import { batchObject } from './batch-object.ts';

const FORMAT = 'openai';

export const batchesQuerySchema = z.object({
  limit: pageLimitSchema({ most: 100, byDefault: 20 }),
  after: z.string().max(LIMITS.idChars).optional().describe('The id of the last batch of the page before'),
  format: z
    .enum(batchFormats)
    .default(FORMAT)
    .describe('Ours: anthropic lists the message batches, as objects of this format'),
});

export function addBatchRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/batches', async (request, response) => {
    requireJson(request);
    response.json(batchObject(await createBatch(dependencies, callerIn(response), request)));
  });
  v1.get('/batches', async (request, response) => {
    response.json(await listBatches(dependencies, callerIn(response), request));
  });
  // A message batch is shown, too: ours.
  v1.get('/batches/:id', async (request, response) => {
    const { id } = request.params;
    const head = await findBatch(dependencies, callerIn(response), id, formatOfId(id));
    response.json(batchObject(head));
  });
  v1.post('/batches/:id/cancel', async (request, response) => {
    const { id } = request.params;
    const head = await findBatch(dependencies, callerIn(response), id, formatOfId(id));
    response.json(batchObject(await cancelBatch(dependencies, head)));
  });
}

async function createBatch(
  dependencies: ApiDependencies,
  caller: Caller,
  request: Request,
): Promise<BatchHead> {
  const body = parseBody(request, batchCreateSchema);
  const sent: BatchRequest = {
    format: FORMAT,
    requestHash: hashRequest(body),
    idempotencyKey: request.get('idempotency-key'),
    retryCount: request.get(RETRY_COUNT_HEADER),
  };
  const batchId = batchIdFor(caller, sent);
  const earlier =
    (await findEarlierTry(dependencies, caller, sent)) ?? (await findKeyed(dependencies, batchId, sent));
  // Its file may be gone since.
  if (earlier !== null) return startBatch(dependencies, caller, earlier.spec);
  await assertMayOpen(dependencies, caller);
  const { requestHash } = sent;
  const spec = await batchSpec(dependencies, caller, {
    batchId,
    request: body,
    input: await findInput(dependencies, caller, body.input_file_id),
    headers: lineHeaders(request),
    ...batchMode(request, dependencies.config.batches.mode),
    requestHash,
  });
  return startBatch(dependencies, caller, spec);
}

async function listBatches(dependencies: ApiDependencies, caller: Caller, request: Request) {
  const { limit, after, format } = parseQuery(request, batchesQuerySchema);
  const before = after === undefined ? null : await findBatch(dependencies, caller, after, format);
  const owner = {
    tenant: caller.tenant,
    user: seesTenant(caller) ? null : caller.user,
    format,
  };
  const heads = await dependencies.batches.list(owner, { limit: limit + 1, before });
  return {
    object: 'list',
    ...idPage(heads.slice(0, limit).map(batchObject), { hasMore: heads.length > limit }),
  };
}
