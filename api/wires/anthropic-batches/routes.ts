/** `/v1/messages/batches`, as Anthropic's clients call it. Source: the official client, resources/messages/batches. */
import { randomBytes } from 'node:crypto';
import type { Request, Router } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { DAY_MS } from '../../../contracts/time.ts';
import type { BatchHead, BatchSpec } from '../../../engine/batches/batch-store.ts';
import { objectKeyOf } from '../../../engine/files/redis-file-store.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn, requireScope, seesTenant } from '../../access/authenticate.ts';
import { cancelBatch, findBatch, hasEnded } from '../../batches/find-batch.ts';
import { batchMode, lineHeaders } from '../../batches/line-headers.ts';
import {
  assertMayOpen,
  batchIdFor,
  findEarlierTry,
  mayRepeat,
  startBatch,
} from '../../batches/start-batch.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { RETRY_COUNT_HEADER } from '../../generations/client-retries.ts';
import { idPage } from '../../http/id-page.ts';
import { pageLimitSchema, parseQuery, requireJson } from '../../http/read-request.ts';
import { sendFile } from '../openai-files/routes.ts';
import { messageBatch } from './message-batch.ts';
import { storeRequests } from './store-requests.ts';

const FORMAT = 'anthropic';
/** As at the vendor, which takes no other. */
const WINDOW = { text: '24h', ms: DAY_MS } as const;

export const messageBatchesQuerySchema = z.object({
  limit: pageLimitSchema({ most: 1_000, byDefault: 20 }),
  after_id: z.string().max(LIMITS.idChars).optional(),
  before_id: z.string().max(LIMITS.idChars).optional(),
});

/** Before the routes whose body is read as a whole. */
export function addMessageBatchUpload(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/messages/batches', requireScope('generate'), async (request, response) => {
    requireJson(request);
    response.json(messageBatch(await createBatch(dependencies, callerIn(response), request)));
  });
}

export function addMessageBatchRoutes(v1: Router, dependencies: ApiDependencies): void {
  const { batches, files } = dependencies;
  v1.get('/messages/batches', async (request, response) => {
    response.json(await listBatches(dependencies, callerIn(response), request));
  });
  v1.get('/messages/batches/:id', async (request, response) => {
    response.json(messageBatch(await findBatch(dependencies, callerIn(response), request.params.id, FORMAT)));
  });
  v1.post('/messages/batches/:id/cancel', async (request, response) => {
    const head = await findBatch(dependencies, callerIn(response), request.params.id, FORMAT);
    response.json(messageBatch(await cancelBatch(dependencies, head)));
  });
  v1.delete('/messages/batches/:id', async (request, response) => {
    const head = await findBatch(dependencies, callerIn(response), request.params.id, FORMAT);
    const { tenant, batchId: id } = head.spec;
    if (!hasEnded(head)) {
      throw new UnbrokenError('batch_conflict', `The batch ${id} has not ended; cancel it first.`);
    }
    if (head.outputFileId !== null) await files.remove({ tenant, fileId: head.outputFileId });
    await batches.remove(head);
    response.json({ id, type: 'message_batch_deleted' });
  });
  v1.get('/messages/batches/:id/results', async (request, response) => {
    const head = await findBatch(dependencies, callerIn(response), request.params.id, FORMAT);
    const { tenant, batchId } = head.spec;
    const fileId = head.outputFileId;
    const file = fileId === null ? null : await files.find({ tenant, fileId });
    if (file === null) {
      const why = hasEnded(head) ? 'has no results any more' : 'has no results before its end';
      throw new UnbrokenError('not_found', `The batch ${batchId} ${why}.`);
    }
    await sendFile(dependencies, response, file, 'application/x-jsonl');
  });
}

async function createBatch(
  dependencies: ApiDependencies,
  caller: Caller,
  request: Request,
): Promise<BatchHead> {
  if (caller.onlyReads === true) throw new UnbrokenError('forbidden', 'A ticket opens streams only.');
  const { tenant, user, team, keyId, scopes } = caller;
  const { batches, files, config } = dependencies;
  const mode = batchMode(request, config.batches.mode);
  const headers = {
    format: FORMAT,
    idempotencyKey: request.get('idempotency-key'),
    retryCount: request.get(RETRY_COUNT_HEADER),
  } as const;
  const ownId = batchIdFor(caller, headers);
  // What it repeats is known when it has been read.
  const isChecked = !mayRepeat(headers);
  if (isChecked) await assertMayOpen(dependencies, caller);
  await files.removeExpired();
  const name = { tenant, fileId: `file-${randomBytes(16).toString('hex')}` };
  const { lines, requestHash } = await storeRequests(dependencies, request, { name, keyId });
  const sent = { ...headers, requestHash };
  const earlier = await findEarlierTry(dependencies, caller, sent);
  const batchId = earlier?.spec.batchId ?? ownId;
  if (!isChecked && (earlier ?? (await batches.head(batchId))) === null) {
    await assertMayOpen(dependencies, caller).catch(async (error: unknown) => {
      await files.remove(name);
      throw error;
    });
  }
  const spec: BatchSpec = earlier?.spec ?? {
    tenant,
    batchId,
    owner: { tenant, user, team, keyId, scopes },
    format: FORMAT,
    endpoint: '/v1/messages',
    inputKey: objectKeyOf(name),
    inputFileId: name.fileId,
    ownsInput: true,
    lines,
    completionWindow: WINDOW.text,
    deadlineAtMs: Date.now() + WINDOW.ms,
    outputKeptMs: config.files.keptMs,
    headers: lineHeaders(request),
    ...mode,
    metadata: null,
    requestHash,
  };
  const started = await startBatch(dependencies, caller, spec).catch(async (error: unknown) => {
    // After any other error, the batch may be there, and read it.
    const isRefused = error instanceof UnbrokenError && error.code === 'idempotency_conflict';
    if (isRefused) await files.remove(name);
    throw error;
  });
  // An earlier request has stored the same.
  if (started.spec.inputFileId !== name.fileId) await files.remove(name);
  return started;
}

async function listBatches(dependencies: ApiDependencies, caller: Caller, request: Request) {
  const { limit, after_id: after, before_id: before } = parseQuery(request, messageBatchesQuerySchema);
  const { batches } = dependencies;
  const owner = {
    tenant: caller.tenant,
    user: seesTenant(caller) ? null : caller.user,
    format: FORMAT,
  } as const;
  const known = (id: string | undefined) =>
    id === undefined ? null : findBatch(dependencies, caller, id, FORMAT);
  const last = await known(after);
  const first = await known(before);
  const heads =
    first === null
      ? await batches.list(owner, { limit: limit + 1, before: last })
      : await batches.newerThan(owner, first, limit + 1);
  const page = first === null ? heads.slice(0, limit) : heads.slice(-limit);
  return idPage(page.map(messageBatch), { hasMore: heads.length > limit });
}
