/** Submits the generations of jobs, and what schedules run, by the code with which the API submits requests. */
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { JobDependencies } from '../activities/jobs/job-dependencies.ts';
import { RouteChooser } from '../api/generations/choose-route.ts';
import { endStranded } from '../api/generations/end-stranded.ts';
import { RunLookup } from '../api/generations/run-lookup.ts';
import { orderGeneration, type SubmitDependencies } from '../api/generations/submit-generation.ts';
import { orderJob } from '../api/jobs/start-job.ts';
import { countTexts } from '../contracts/count-tokens.ts';
import type { BudgetLedger } from '../engine/budget/ledger.ts';
import { RedisFlightMembers } from '../engine/cache/flight-members.ts';
import { RedisCompactionSeals } from '../engine/compaction/compaction-seals.ts';
import { RedisJobStore } from '../engine/jobs/redis-job-store.ts';
import { RedisPipelineRegistry } from '../engine/jobs/redis-pipeline-registry.ts';
import { RedisScheduleStore, runIdOf } from '../engine/jobs/schedule-store.ts';
import type { OutputChecker } from '../engine/output/output-checker.ts';
import { RedisPromptRegistry } from '../engine/prompts/redis-prompt-registry.ts';
import { RedisPromptStats } from '../engine/prompts/redis-prompt-stats.ts';
import { RedisCallAnswers } from '../engine/reasoning/call-answers.ts';
import { readHealth } from '../engine/routing/read-health.ts';
import type { EventLog } from '../engine/streaming/event-log.ts';
import { RedisStoredBytes } from '../engine/streaming/stored-bytes.ts';
import { RedisWebhookEndpoints } from '../engine/webhooks/redis-endpoints.ts';
import type { Config } from '../platform/config/load-config.ts';
import type { RedisClient } from '../platform/redis/redis-client.ts';
import { fairnessKey } from '../platform/temporal/run-options.ts';

interface Surroundings {
  readonly redis: RedisClient;
  /** The same, for what must outlive a failover of Redis. */
  readonly kept: RedisClient;
  readonly outputs: OutputChecker;
  readonly temporal: Client;
  readonly log: EventLog;
  readonly budget: BudgetLedger;
  readonly logger: Logger;
}

interface JobParts {
  readonly dependencies: Omit<JobDependencies, 'log' | 'webhooks' | 'orderBatch'>;
  /** What submits a generation. */
  readonly submit: SubmitDependencies;
}

export function createJobParts(
  config: Config,
  { redis, kept, outputs, temporal, log, budget, logger }: Surroundings,
): JobParts {
  const { health } = readHealth(config, redis, (error) =>
    logger.warn({ err: error }, 'the state of the providers is unknown'),
  );
  const submit: SubmitDependencies = {
    config,
    log,
    budget,
    logger,
    temporal,
    countTexts,
    outputs,
    webhookEndpoints: new RedisWebhookEndpoints(kept),
    stored: new RedisStoredBytes(kept, {
      bytesPerTenant: config.storage.bytesPerTenant,
      retentionMs: config.retention.logMs,
    }),
    compactions: new RedisCompactionSeals(kept),
    callAnswers: new RedisCallAnswers(redis),
    flightMembers: new RedisFlightMembers(kept),
    prompts: new RedisPromptRegistry(kept),
    promptStats: new RedisPromptStats(redis),
    routes: new RouteChooser(config, health),
    runs: new RunLookup(temporal),
    // The run is a child of the job's: no worker is offered it.
    handoff: { offer: () => Promise.resolve(false) },
  };
  const jobs = new RedisJobStore(kept, { keptMs: config.retention.jobMs });
  const ofJobs = { ...submit, jobs, pipelines: new RedisPipelineRegistry(kept) };
  const dependencies: JobParts['dependencies'] = {
    jobs,
    jobKeptMs: config.retention.jobMs,
    logKeptMs: config.retention.logMs,
    schedules: new RedisScheduleStore(kept),
    runIdOf,
    fairnessKeyOf: fairnessKey,
    orderGeneration: ({ owner, leftMicroUsd, ...submission }) =>
      orderGeneration(submit, owner, submission, leftMicroUsd),
    orderJob: (owner, job) => orderJob(ofJobs, owner, job),
    endStranded: (generationId) => endStranded(submit, generationId),
  };
  return { dependencies, submit };
}
