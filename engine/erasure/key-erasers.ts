/**
 * What an erasure does with each kind of key in Redis that may be a user's. It reads every name once, because no index
 * is complete: an index that a crash or an older release has not written would leave a text behind.
 */
import { z } from 'zod';
import { shardsOf } from '../../contracts/batches.ts';
import type { ErasedKind } from '../../contracts/erasure.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import type { BatchObjects } from '../batches/batch-objects.ts';
import type { BatchStore } from '../batches/batch-store.ts';
import type { ConversationStore } from '../conversations/conversation-store.ts';
import type { FileStore } from '../files/file-store.ts';
import type { JobStore } from '../jobs/job-store.ts';
import type { PromptStats } from '../prompts/prompt-stats.ts';
import type { EventLog } from '../streaming/event-log.ts';
import type { WebhookDeliveries } from '../webhooks/webhooks.ts';
import type { ErasedRuns } from './erased-runs.ts';
import type { ErasureScope, Found, StageResult } from './erasures.ts';

export interface ErasedStores {
  readonly redis: Pick<
    RedisClient,
    'scan' | 'keyspace' | 'get' | 'del' | 'hmGet' | 'hDel' | 'hKeys' | 'exists' | 'lRange' | 'zRange'
  >;
  readonly log: Pick<EventLog, 'disown'>;
  readonly jobs: Pick<JobStore, 'erase' | 'events'>;
  readonly batches: Pick<BatchStore, 'head' | 'remove'>;
  readonly batchObjects: Pick<BatchObjects, 'delete'>;
  readonly files: Pick<FileStore, 'remove'>;
  readonly conversations: Pick<ConversationStore, 'delete' | 'head'>;
  readonly promptStats: Pick<PromptStats, 'removeFeedback'>;
  readonly deliveries: Pick<WebhookDeliveries, 'ids' | 'ownerOf' | 'remove'>;
  readonly runs: Pick<ErasedRuns, 'end'>;
  /** Deletes a generation's texts, here and in the archive and the cache. Repeatable. */
  readonly eraseGeneration: (tenant: string, generationId: string, found: Found) => Promise<void>;
  /** Whether a worker may be archiving what the log was before. */
  readonly isBeingArchived: (generationId: string) => Promise<boolean>;
}

export interface KeyEraser {
  /** Names of keys; its groups are the arguments of `erase`. */
  readonly pattern: RegExp;
  erase(parts: readonly string[], scope: ErasureScope, found: Found): Promise<StageResult>;
}

const NOTHING: StageResult = { found: 0, pending: 0 };
const ONE: StageResult = { found: 1, pending: 0 };
const PENDING: StageResult = { found: 1, pending: 1 };

/** The kinds that are found by the names of keys. All others have a separate stage. */
type SweptKind = Exclude<ErasedKind, 'schedules' | 'cachedAnswers' | 'complaints' | 'runs'>;

export function keyErasers(stores: ErasedStores): Readonly<Record<SweptKind, KeyEraser>> {
  return {
    generations: generations(stores),
    jobs: jobs(stores),
    batches: batches(stores),
    files: files(stores),
    conversations: conversations(stores),
    feedback: feedback(stores),
    // A key that acts for any user shares its chats with all such keys of the tenant.
    chats: pointers(stores, 'chats', /^(ub:chat:\{(.*):(.*):.*\})$/),
    callAnswers: pointers(stores, 'callAnswers', /^(ub:call:\{(.*):(.*):.*\})$/),
    retries: retries(stores),
    openQuestions: openQuestions(stores),
    webhookDeliveries: webhookDeliveries(stores),
  };
}

/** Whether the user had what this hash is the head of before the erasure was asked for; null: it is another's. */
async function ageOf(
  { redis }: Pick<ErasedStores, 'redis'>,
  key: string,
  scope: ErasureScope,
): Promise<'old' | 'new' | null> {
  const [tenant, user, createdAt] = await redis.hmGet(key, ['tenant', 'user', 'createdAt']);
  if (tenant !== scope.tenant || user !== scope.user) return null;
  return Number(createdAt) <= scope.beforeMs ? 'old' : 'new';
}

function generations(stores: ErasedStores): KeyEraser {
  return {
    pattern: /^ub:log:\{(.+)\}:meta$/,
    async erase([generationId = ''], scope, found) {
      const age = await ageOf(stores, REDIS_KEYS.logMeta(generationId), scope);
      // A later one may still belong to an earlier job.
      const isWanted = age === 'old' || (age === 'new' && (await found.has('generations', generationId)));
      return isWanted ? eraseOneGeneration(stores, scope, found, generationId) : NOTHING;
    },
  };
}

/** @returns pending while it runs, or while the archive may get what it was before. */
export async function eraseOneGeneration(
  stores: Pick<ErasedStores, 'redis' | 'runs' | 'log' | 'eraseGeneration' | 'isBeingArchived'>,
  { tenant }: ErasureScope,
  found: Found,
  generationId: string,
): Promise<StageResult> {
  await found.add('generations', [generationId]);
  const [status] = await stores.redis.hmGet(REDIS_KEYS.logMeta(generationId), ['status']);
  const isOver = status !== 'running' || (await stores.runs.end({ tenant, generationId }));
  await stores.eraseGeneration(tenant, generationId, found);
  if (!isOver || (await stores.isBeingArchived(generationId))) return PENDING;
  await stores.log.disown(generationId);
  return ONE;
}

function jobs(stores: ErasedStores): KeyEraser {
  return {
    pattern: /^ub:job:\{(.+)\}:meta$/,
    async erase([jobId = ''], scope, found) {
      const age = await ageOf(stores, REDIS_KEYS.job(jobId, 'meta'), scope);
      const isWanted = age === 'old' || (age === 'new' && (await found.has('jobs', jobId)));
      return isWanted ? eraseOneJob(stores, scope, found, jobId) : NOTHING;
    },
  };
}

/** Its generations are noted first: when the job is gone, nothing else says that they belong to it. */
export async function eraseOneJob(
  { jobs: store, runs }: Pick<ErasedStores, 'jobs' | 'runs'>,
  { tenant }: ErasureScope,
  found: Found,
  jobId: string,
): Promise<StageResult> {
  await found.add('jobs', [jobId]);
  const ids: string[] = [];
  for await (const event of store.events(jobId)) {
    if (event.type === 'generation-open') ids.push(event.generationId);
  }
  await found.add('generations', ids);
  if (!(await runs.end({ tenant, generationId: jobId }))) return PENDING;
  await store.erase(jobId);
  return ONE;
}

/** A batch with its files of results; its lines are generations, and its input is a file of the user. */
function batches({ redis, batches: store, batchObjects, files: fileStore, runs }: ErasedStores): KeyEraser {
  return {
    pattern: /^(ub:batch:\{(.+)\}:(head|refused:\d+|answers:\d+))$/,
    async erase([key = '', batchId = '', part], { tenant, user, beforeMs }, found) {
      if (part !== 'head') {
        if (await found.has('batches', batchId)) await redis.del(key);
        return NOTHING;
      }
      const head = await store.head(batchId);
      if (head === null || head.spec.tenant !== tenant || head.spec.owner.user !== user) return NOTHING;
      if (head.createdAt > beforeMs) return NOTHING;
      await found.add('batches', [batchId]);
      if (!(await runs.end({ tenant, generationId: batchId }))) return PENDING;
      for (const fileId of [head.outputFileId, head.errorFileId]) {
        if (fileId === null) continue;
        await found.add('files', [fileId]);
        await fileStore.remove({ tenant, fileId });
      }
      // One whose run was terminated has not deleted the file that was made for it alone.
      const { ownsInput, inputFileId } = head.spec;
      if (ownsInput === true) await fileStore.remove({ tenant, fileId: inputFileId });
      await batchObjects.delete({ tenant, batchId }, head.plan === null ? 0 : shardsOf(head.plan));
      await store.remove(head);
      return ONE;
    },
  };
}

const fileSchema = z.object({ user: z.string(), createdAt: z.number() });

function files({ redis, files: store }: ErasedStores): KeyEraser {
  return {
    pattern: /^(ub:files:\{(.*)\}:file:(.+))$/,
    async erase([key = '', tenant = '', id = ''], scope, found) {
      if (decodeURIComponent(tenant) !== scope.tenant) return NOTHING;
      const stored = await redis.get(key);
      const file = stored === null ? null : fileSchema.parse(JSON.parse(stored));
      if (file === null || file.user !== scope.user || file.createdAt > scope.beforeMs) return NOTHING;
      const fileId = decodeURIComponent(id);
      await found.add('files', [fileId]);
      await store.remove({ tenant: scope.tenant, fileId });
      return ONE;
    },
  };
}

function conversations({ conversations: store }: ErasedStores): KeyEraser {
  return {
    pattern: /^ub:conversation:\{(.+)\}:meta$/,
    async erase([encoded = ''], scope, found) {
      const id = decodeURIComponent(encoded);
      const head = await store.head(id);
      if (head === null || head.tenant !== scope.tenant || head.user !== scope.user) return NOTHING;
      if (head.createdAtMs > scope.beforeMs) return NOTHING;
      await found.add('conversations', [id]);
      await store.delete(id);
      return ONE;
    },
  };
}

function feedback({ redis, promptStats }: ErasedStores): KeyEraser {
  return {
    pattern: /^(ub:prompt:\{(.*):(.*)\}:generation:(.+))$/,
    async erase([key = '', tenant = '', name = '', generationId = ''], scope, found) {
      if (decodeURIComponent(tenant) !== scope.tenant) return NOTHING;
      const [score, user, at] = await redis.hmGet(key, ['score', 'user', 'at']);
      if (score == null) return NOTHING;
      const isOwn = user === scope.user && Number(at) <= scope.beforeMs;
      if (!isOwn && !(await found.has('generations', generationId))) return NOTHING;
      await found.add('feedback', [generationId]);
      const prompt = { name: decodeURIComponent(name), version: 0 };
      await promptStats.removeFeedback({ tenant: scope.tenant, generationId, prompt });
      return ONE;
    },
  };
}

/** Keys whose value is the id of a generation: each goes with that one, and with its user if that one is gone. */
function pointers({ redis }: ErasedStores, kind: ErasedKind, pattern: RegExp): KeyEraser {
  return {
    pattern,
    async erase([key = '', tenant = '', user = ''], scope, found) {
      if (decodeURIComponent(tenant) !== scope.tenant) return NOTHING;
      const generationId = await redis.get(key);
      if (generationId === null) return NOTHING;
      const isOwn = decodeURIComponent(user) === scope.user;
      const isErased = await found.has('generations', generationId);
      const isLost = isOwn && (await redis.exists(REDIS_KEYS.logMeta(generationId))) === 0;
      if (!isErased && !isLost) return NOTHING;
      await found.add(kind, [key]);
      await redis.del(key);
      return ONE;
    },
  };
}

function retries({ redis }: ErasedStores): KeyEraser {
  return {
    pattern: /^(ub:retry:\{.*\}:\d+)$/,
    async erase([key = ''], _scope, found) {
      for (const generationId of await redis.lRange(key, 0, -1)) {
        if (!(await found.has('generations', generationId))) continue;
        await found.add('retries', [key]);
        await redis.del(key);
        return ONE;
      }
      return NOTHING;
    },
  };
}

/** The questions of open flights, each under the key of its flight. One whose flight is over is anybody's rest. */
function openQuestions({ redis }: ErasedStores): KeyEraser {
  return {
    pattern: /^ub:lead:\{(.*)\}:open$/,
    async erase([partition = ''], _scope, found) {
      const open = REDIS_KEYS.openFlights(partition);
      let erased = 0;
      for (const flight of await redis.hKeys(open)) {
        const key = REDIS_KEYS.flight(partition, flight);
        const [leader] = await redis.hmGet(key, ['leader']);
        const isErased = leader != null && (await found.has('generations', leader));
        if (leader != null && !isErased) continue;
        if (isErased) {
          erased += 1;
          await found.add('openQuestions', [key]);
        }
        await redis.hDel(open, flight);
        await redis.del(key);
      }
      return { found: erased, pending: 0 };
    },
  };
}

function webhookDeliveries(stores: ErasedStores): KeyEraser {
  return {
    pattern: /^ub:webhooks:\{(.*)\}:delivery:(.+):head$/,
    erase: async ([tenant = '', id = ''], scope, found) =>
      decodeURIComponent(tenant) === scope.tenant
        ? eraseOneDelivery(stores, scope, found, decodeURIComponent(id))
        : NOTHING,
  };
}

export async function eraseOneDelivery(
  { deliveries }: Pick<ErasedStores, 'deliveries'>,
  { tenant, user, jobId, beforeMs }: ErasureScope,
  found: Found,
  deliveryId: string,
): Promise<StageResult> {
  const owner = await deliveries.ownerOf(tenant, deliveryId);
  if (owner === null) return NOTHING;
  const isOwn = jobId === null && owner.user === user && owner.createdAtMs <= beforeMs;
  const kind = kindOf(owner.about);
  if (!isOwn && !(await found.has(kind, owner.about))) return NOTHING;
  await found.add('webhookDeliveries', [deliveryId]);
  await deliveries.remove(tenant, deliveryId);
  return ONE;
}

function kindOf(id: string): 'jobs' | 'batches' | 'generations' {
  if (id.startsWith('job_')) return 'jobs';
  return /^(?:msg)?batch_/.test(id) ? 'batches' : 'generations';
}
