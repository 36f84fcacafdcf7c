/** `/v1/batches`: the lines of a file, each a generation. Source: the official client, resources/batches. */
import type { Request, Router } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { BatchHead, BatchSpec } from '../../../engine/batches/batch-store.ts';
import { objectKeyOf } from '../../../engine/files/redis-file-store.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn, seesTenant } from '../../access/authenticate.ts';
import { cancelBatch, findBatch } from '../../batches/find-batch.ts';
import { lineHeaders } from '../../batches/line-headers.ts';
import {
  assertMayOpen,
  type BatchRequest,
  batchIdFor,
  findEarlierTry,
  startBatch,
} from '../../batches/start-batch.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { RETRY_COUNT_HEADER } from '../../generations/client-retries.ts';
import { hashRequest } from '../../generations/generation-id.ts';
import { sealWebhook } from '../../generations/seal-webhook.ts';
import { idPage } from '../../http/id-page.ts';
import { pageLimitSchema, parseBody, parseQuery, requireJson } from '../../http/read-request.ts';
import { findFile } from '../openai-files/routes.ts';
import { batchObject } from './batch-object.ts';
import { type BatchCreate, batchCreateSchema, windowMs } from './request.ts';

const FORMAT = 'openai';

export const batchesQuerySchema = z.object({
  limit: pageLimitSchema({ most: 100, byDefault: 20 }),
  after: z.string().max(LIMITS.idChars).optional().describe('The id of the last batch of the page before'),
});

export function addBatchRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/batches', async (request, response) => {
    requireJson(request);
    response.json(batchObject(await createBatch(dependencies, callerIn(response), request)));
  });
  v1.get('/batches', async (request, response) => {
    response.json(await listBatches(dependencies, callerIn(response), request));
  });
  v1.get('/batches/:id', async (request, response) => {
    const head = await findBatch(dependencies, callerIn(response), request.params.id, FORMAT);
    response.json(batchObject(head));
  });
  v1.post('/batches/:id/cancel', async (request, response) => {
    const head = await findBatch(dependencies, callerIn(response), request.params.id, FORMAT);
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
  const earlier = await findEarlierTry(dependencies, caller, sent);
  if (earlier !== null) return startBatch(dependencies, caller, earlier.spec);
  const batchId = batchIdFor(caller, sent);
  const known = sent.idempotencyKey === undefined ? null : await dependencies.batches.head(batchId);
  if (known === null) await assertMayOpen(dependencies, caller);
  return startBatch(
    dependencies,
    caller,
    await specOf(dependencies, { caller, request, body, batchId, sent }),
  );
}

interface Creation {
  readonly caller: Caller;
  readonly request: Request;
  readonly body: BatchCreate;
  readonly batchId: string;
  readonly sent: BatchRequest;
}

/** @throws invalid_request, not_found */
async function specOf(
  dependencies: ApiDependencies,
  { caller, request, body, batchId, sent }: Creation,
): Promise<BatchSpec> {
  const { tenant, user, team, keyId, scopes } = caller;
  const file = await findFile(dependencies, caller, body.input_file_id).catch((error: unknown) => {
    if (!(error instanceof UnbrokenError)) throw error;
    throw new UnbrokenError(error.code, error.message, { details: { param: 'input_file_id' } });
  });
  if (file.purpose !== 'batch') {
    throw new UnbrokenError('invalid_request', 'input_file_id: expected a file with the purpose "batch".', {
      details: { param: 'input_file_id' },
    });
  }
  const { completion_window: completionWindow, output_expires_after: expires } = body;
  const webhook = body.webhook == null ? null : await sealWebhook(dependencies, tenant, body.webhook);
  return {
    tenant,
    batchId,
    owner: { tenant, user, team, keyId, scopes },
    format: FORMAT,
    endpoint: body.endpoint,
    inputKey: objectKeyOf(file),
    inputFileId: file.fileId,
    completionWindow,
    deadlineAtMs: Date.now() + windowMs(completionWindow),
    outputKeptMs: expires == null ? dependencies.config.files.keptMs : expires.seconds * 1_000,
    headers: lineHeaders(request),
    metadata: body.metadata ?? null,
    ...(webhook === null ? {} : { webhook }),
    requestHash: sent.requestHash,
  };
}

async function listBatches(dependencies: ApiDependencies, caller: Caller, request: Request) {
  const { limit, after } = parseQuery(request, batchesQuerySchema);
  const before = after === undefined ? null : await findBatch(dependencies, caller, after, FORMAT);
  const owner = {
    tenant: caller.tenant,
    user: seesTenant(caller) ? null : caller.user,
    format: FORMAT,
  } as const;
  const heads = await dependencies.batches.list(owner, { limit: limit + 1, before });
  return {
    object: 'list',
    ...idPage(heads.slice(0, limit).map(batchObject), { hasMore: heads.length > limit }),
  };
}
