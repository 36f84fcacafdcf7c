/** Puts the stores that an erasure empties behind its ports. */
import type { Client } from '@temporalio/client';
import type { BatchDependencies } from '../activities/batches/batch-dependencies.ts';
import type { ErasureDependencies } from '../activities/erasure/erasure-dependencies.ts';
import { endLog } from '../api/generations/end-log.ts';
import { eraseGeneration } from '../api/generations/erase-generation.ts';
import { deleteSchedule } from '../api/jobs/schedules.ts';
import type { DueLogs } from '../engine/archive/due-logs.ts';
import type { LogArchive } from '../engine/archive/log-archive.ts';
import { deleteWithComplaints } from '../engine/cache/delete-with-complaints.ts';
import { RedisFlightMembers } from '../engine/cache/flight-members.ts';
import { createQdrantDeletion } from '../engine/cache/qdrant-deletion.ts';
import { createQdrantErasure } from '../engine/cache/qdrant-erasure.ts';
import { RedisComplaints } from '../engine/cache/redis-complaints.ts';
import { RedisConversations } from '../engine/conversations/redis-conversations.ts';
import { ErasedRuns } from '../engine/erasure/erased-runs.ts';
import type { Found } from '../engine/erasure/erasures.ts';
import { RedisErasures } from '../engine/erasure/redis-erasures.ts';
import { StoredEraser } from '../engine/erasure/stored-eraser.ts';
import { RedisJobStore } from '../engine/jobs/redis-job-store.ts';
import { RedisScheduleStore } from '../engine/jobs/schedule-store.ts';
import { RedisPromptStats } from '../engine/prompts/redis-prompt-stats.ts';
import type { EventLog } from '../engine/streaming/event-log.ts';
import { RedisStoredBytes } from '../engine/streaming/stored-bytes.ts';
import { RedisWebhookDeliveries } from '../engine/webhooks/redis-deliveries.ts';
import { RedisWebhookEndpoints } from '../engine/webhooks/redis-endpoints.ts';
import type { Config } from '../platform/config/load-config.ts';
import type { RedisClient } from '../platform/redis/redis-client.ts';

interface Surroundings {
  /** A connection whose writes outlive a failover. */
  readonly redis: RedisClient;
  readonly temporal: Client;
  readonly log: EventLog;
  readonly archive: { readonly logs: LogArchive; readonly due: DueLogs } | null;
  readonly batches: Pick<BatchDependencies, 'batches' | 'batchObjects' | 'files'>;
}

const NO_RUN = {
  code: 'cancelled',
  message: 'The generation was ended so that its data could be erased.',
} as const;

export function createErasureParts(
  config: Config,
  { redis, temporal, log, archive, batches: ofBatches }: Surroundings,
): ErasureDependencies {
  const { retention, storage } = config;
  const erasures = new RedisErasures(redis, { keptMs: retention.receiptMs });
  const complaints = new RedisComplaints(redis);
  const cachedAnswers = deleteWithComplaints(createQdrantDeletion(config.qdrant), complaints);
  const promptStats = new RedisPromptStats(redis);
  const schedules = new RedisScheduleStore(redis);
  const stored = new RedisStoredBytes(redis, {
    bytesPerTenant: storage.bytesPerTenant,
    retentionMs: retention.logMs,
  });
  const flightMembers = new RedisFlightMembers(redis);
  const eraser = new StoredEraser({
    batches: ofBatches.batches,
    batchObjects: ofBatches.batchObjects,
    files: ofBatches.files,
    erasures,
    redis,
    log,
    complaints,
    promptStats,
    schedules,
    answers: createQdrantErasure(config.qdrant),
    jobs: new RedisJobStore(redis, { keptMs: retention.jobMs }),
    conversations: new RedisConversations(redis, { keptMs: retention.conversationMs }),
    deliveries: new RedisWebhookDeliveries(redis, new RedisWebhookEndpoints(redis)),
    runs: new ErasedRuns({
      temporal,
      requestCancel: (generationId) => log.requestCancel(generationId),
      endLog: async (id) => !id.startsWith('gen_') || endLog({ log, flightMembers }, id, NO_RUN),
    }),
    deleteSchedule: (schedule) =>
      deleteSchedule({ config, schedules, stored, temporal, files: ofBatches.files }, schedule),
    eraseGeneration: async (tenant, generationId, found) => {
      await eraseFeedback({ log, promptStats }, tenant, generationId, found);
      if (await complaints.withdraw(tenant, generationId)) await found.add('complaints', [generationId]);
      const erased = await eraseGeneration({ log, cachedAnswers }, { tenant, generationId });
      if (erased.cachedAnswers > 0) await found.add('cachedAnswers', [generationId]);
    },
    isBeingArchived: async (generationId) => (await archive?.due.isClaimed(generationId)) === true,
    archive: archive?.logs ?? null,
  });
  return { erasures, eraser };
}

/** Before the log is erased, which names the prompt. */
async function eraseFeedback(
  { log, promptStats }: { readonly log: EventLog; readonly promptStats: RedisPromptStats },
  tenant: string,
  generationId: string,
  found: Found,
): Promise<void> {
  const target = { tenant, generationId, prompt: (await log.view(generationId))?.view?.prompt ?? null };
  if ((await promptStats.readFeedback(target)) === null) return;
  await found.add('feedback', [generationId]);
  await promptStats.removeFeedback(target);
}
