/**
 * Creates a batch and starts its run. Both are identified by the same id, so both can be repeated: a request that is
 * sent again with its key joins the batch that it created.
 */
import { TypedSearchAttributes } from '@temporalio/common';
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import { type BatchName, type BatchOrder, isFinal } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { BATCH_TYPE, workflowId } from '../../contracts/names.ts';
import type { BatchFormat, BatchHead, BatchSpec } from '../../engine/batches/batch-store.ts';
import { fairnessKey } from '../../platform/temporal/run-options.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { startOnce } from '../generations/ask-temporal.ts';
import { generationIdFor } from '../generations/generation-id.ts';

type StartDependencies = Pick<ApiDependencies, 'batches' | 'config' | 'temporal'>;

/** What tells a repeated request from a new one. */
export interface BatchRequest {
  readonly format: BatchFormat;
  readonly requestHash: string;
  readonly idempotencyKey: string | undefined;
  /** How often this client has sent it before, as the official clients say; undefined: they do not. */
  readonly retryCount: string | undefined;
}

/** Whether an earlier request may have created its batch. */
export function mayRepeat({ idempotencyKey, retryCount }: Omit<BatchRequest, 'requestHash'>): boolean {
  return idempotencyKey !== undefined || isRetry(retryCount);
}

const isRetry = (retryCount: string | undefined) => retryCount !== undefined && /^[1-9]\d?$/.test(retryCount);

/** @returns the batch that an earlier try of the same request has created. */
export async function findEarlierTry(
  { batches }: Pick<ApiDependencies, 'batches'>,
  { tenant, user, keyId }: Caller,
  { format, requestHash, retryCount }: BatchRequest,
): Promise<BatchHead | null> {
  if (!isRetry(retryCount)) return null;
  const newest = await batches.list(
    { tenant, user, format },
    { limit: LIMITS.sameRequestsJoined, before: null },
  );
  const isSame = ({ spec, createdAt }: BatchHead) =>
    spec.requestHash === requestHash &&
    spec.owner.keyId === keyId &&
    Date.now() - createdAt < BATCH_LIMITS.sameBatchMs;
  return newest.find(isSame) ?? null;
}

/** @throws invalid_request for a key that is too long, or empty */
export function batchIdFor(
  caller: Caller,
  { format, idempotencyKey }: Pick<BatchRequest, 'format' | 'idempotencyKey'>,
): string {
  const prefix = format === 'openai' ? 'batch_' : 'msgbatch_';
  return generationIdFor(caller, idempotencyKey, prefix).replace(/^gen_/, prefix);
}

/** @throws rate_limited, which names the setting */
export async function assertMayOpen(
  { batches, config }: Pick<ApiDependencies, 'batches' | 'config'>,
  { tenant, user }: Caller,
): Promise<void> {
  const open = await batches.open({ tenant, user });
  const { perUser } = config.batches;
  if (open.length < perUser) return;
  throw new UnbrokenError(
    'rate_limited',
    `${user} has ${open.length} batches that have not ended; the setting is batches.perUser.`,
  );
}

/** @returns what an earlier request with this key has created. @throws idempotency_conflict */
export async function findKeyed(
  { batches }: Pick<ApiDependencies, 'batches'>,
  batchId: string,
  { idempotencyKey, requestHash }: BatchRequest,
): Promise<BatchHead | null> {
  if (idempotencyKey === undefined) return null;
  const known = await batches.head(batchId);
  if (known !== null) assertSame(known.spec.requestHash, requestHash);
  return known;
}

/** @throws idempotency_conflict, service_unavailable */
export async function startBatch(
  dependencies: StartDependencies,
  caller: Caller,
  spec: BatchSpec,
): Promise<BatchHead> {
  if (caller.onlyReads === true) {
    throw new UnbrokenError('forbidden', 'A ticket opens streams; starting a batch takes a key.');
  }
  const head = await createBatch(dependencies, spec);
  // Temporal forgets a run before the batch is forgotten, and would start another one.
  if (isFinal(head.status)) return head;
  try {
    await startRun(dependencies, orderOf(dependencies, head), head.createdAt);
  } catch (error) {
    if (error instanceof UnbrokenError && error.code === 'idempotency_conflict') {
      await dependencies.batches.remove(head);
    }
    throw error;
  }
  return head;
}

/** @returns the batch with this id: this, or what was there before. @throws idempotency_conflict */
export async function createBatch(
  { batches }: Pick<ApiDependencies, 'batches'>,
  spec: BatchSpec,
): Promise<BatchHead> {
  const { batchId } = spec;
  assertSame(await batches.create(spec), spec.requestHash);
  const head = await batches.head(batchId);
  if (head === null) throw new UnbrokenError('not_found', `There is no batch ${batchId}.`);
  return head;
}

function assertSame(known: string, sent: string): void {
  if (known === sent) return;
  throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another request.');
}

export function orderOf({ config }: Pick<ApiDependencies, 'config'>, { spec }: BatchHead): BatchOrder {
  const { tenant, batchId, deadlineAtMs, owner, mode } = spec;
  const { linesAtOnce } = config.batches;
  const order = { tenant, batchId, user: owner.user, deadlineAtMs, linesAtOnce };
  return mode === undefined ? order : { ...order, mode };
}

async function startRun(
  dependencies: StartDependencies,
  order: BatchOrder,
  createdAt: number,
): Promise<void> {
  const { tenant, user, batchId } = order;
  await startOnce(dependencies, BATCH_TYPE, {
    createdAtMs: async () => createdAt,
    workflowId: workflowId(tenant, batchId),
    args: [order],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: `${user}: a batch`,
    // Its shards and their generations inherit this.
    priority: { priorityKey: BATCH_LIMITS.priority, fairnessKey: fairnessKey({ tenant, user }) },
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_KEYS.tenant, value: tenant },
      { key: SEARCH_KEYS.user, value: user },
      { key: SEARCH_KEYS.status, value: 'running' },
    ]),
  });
}

/** The run of a batch, by the names that calls about generations use. */
export function runOf({ tenant, batchId }: BatchName) {
  return { tenant, generationId: batchId };
}
