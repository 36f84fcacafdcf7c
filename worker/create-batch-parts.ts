/** The parts of batches: their lines are submitted by the code that takes the same requests alone. */
import { createHash } from 'node:crypto';
import type { BatchDependencies } from '../activities/batches/batch-dependencies.ts';
import type { JobDependencies } from '../activities/jobs/job-dependencies.ts';
import { VendorLineFormats } from '../api/batches/line-formats.ts';
import { orderBatch } from '../api/batches/order-batch.ts';
import type { SubmitDependencies } from '../api/generations/submit-generation.ts';
import { UnbrokenError } from '../contracts/errors.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import { readLine } from '../engine/batches/batch-line.ts';
import { BatchObjects } from '../engine/batches/batch-objects.ts';
import type { BatchSpec } from '../engine/batches/batch-store.ts';
import { checkFile } from '../engine/batches/check-lines.ts';
import { PartPlan } from '../engine/batches/handover.ts';
import { HandoverObjects } from '../engine/batches/handover-objects.ts';
import { RedisBatchStore } from '../engine/batches/redis-batch-store.ts';
import { RedisConversations } from '../engine/conversations/redis-conversations.ts';
import { RedisFileStore } from '../engine/files/redis-file-store.ts';
import { createProviderBatches } from '../engine/providers/create-provider-batches.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createFileStore } from '../platform/object-store/create-object-store.ts';
import type { ObjectStore } from '../platform/object-store/object-store.ts';
import type { RedisClient } from '../platform/redis/redis-client.ts';

interface BatchParts {
  readonly dependencies: BatchDependencies & Pick<JobDependencies, 'orderBatch'>;
  close(): void;
}

export async function createBatchParts(
  config: Config,
  kept: RedisClient,
  { submit }: { readonly submit: SubmitDependencies },
): Promise<BatchParts> {
  const store = await createFileStore(config.objectStore, config.dataDir);
  const conversations = new RedisConversations(kept, { keptMs: config.retention.conversationMs });
  const batches = new RedisBatchStore(kept, { keptMs: config.batches.keptMs });
  const files = new RedisFileStore(kept, store, {
    bytesPerTenant: config.files.bytesPerTenant,
    isRead: async (file) => (await batches.readersOf(file)).length > 0,
  });
  const ofSchedules = { ...submit, batches, files };
  const vendorBatches = createProviderBatches(config);
  const dependencies: BatchParts['dependencies'] = {
    batches,
    batchObjects: new BatchObjects(store),
    files,
    orderBatch: (owner, batch) => orderBatch(ofSchedules, owner, batch),
    lineFormats: new VendorLineFormats({ ...submit, conversations }, { logKeptMs: config.retention.logMs }),
    checkInput: (spec) => checkInput(config, store, spec),
    readLine,
    resultFileId,
    mayPayBatch: async ({ owner }) => (await kept.exists(REDIS_KEYS.apiKey(owner.keyId))) > 0,
    vendorBatches,
    planParts: () => new PartPlan((provider) => vendorBatches.get(provider)?.most ?? NOTHING),
    vendorTimes: config.batches.vendor,
    handoverObjects: new HandoverObjects(store),
    nowMs: Date.now,
  };
  return { dependencies, close: () => store.close() };
}

/** What a provider without batches takes of a line. */
const NOTHING = { lines: 0, bytes: 0 };

async function checkInput({ batches, http }: Config, store: ObjectStore, { inputKey, endpoint }: BatchSpec) {
  const download = await store.download(inputKey);
  if (download === null) throw new UnbrokenError('not_found', `The object store has no ${inputKey}.`);
  const rules = {
    endpoint,
    atMostLines: batches.lines,
    atMostLineBytes: http.bodyBytes,
    atMostValues: http.jsonValues,
  };
  return checkFile(download.body, rules);
}

/** The same whenever it is asked for: a step that is repeated writes the same file. */
function resultFileId(batchId: string, file: 'output' | 'error'): string {
  const hash = createHash('sha256').update(`${file} of ${batchId}`).digest('hex');
  return `file-${hash.slice(0, 32)}`;
}
