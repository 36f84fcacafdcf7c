/** Runs of the workflow: those of its tests, and those whose histories are recorded and replayed. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { Activities } from '../../activities/create-activities.ts';
import { ERRORS, type ErrorCode } from '../../contracts/errors.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { SIGNALS, webhookRunId } from '../../contracts/names.ts';
import type { WebhookDelivery } from '../../contracts/webhooks.ts';
import { warningOf } from '../harness/budget-warning.ts';
import { waitFor } from '../harness/wait-for.ts';
import {
  recordAnswered,
  recordBatch,
  recordScheduledBatch,
  recordShard,
  recordWaiting,
} from './batch-runs.ts';
import { recordJob, recordTick } from './job-runs.ts';
import {
  FIRST,
  orderOf,
  outcomeWith,
  startGeneration,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

/** The first candidate fails for good with this code; the others answer. */
export function firstFails(code: ErrorCode): Partial<Activities> {
  return {
    streamFromProvider: async ({ candidate }) => {
      if (candidate.provider !== FIRST.provider) return outcomeWith(candidate);
      throw ApplicationFailure.create({ type: code, message: ERRORS[code].fix, nonRetryable: true });
    },
  };
}

/** The stream runs until it is cancelled. */
export const endless: Partial<Activities> = {
  streamFromProvider: async () => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    return context.cancelled.finally(() => clearInterval(beat));
  },
};

/** The stream is silent, as one is whose worker has died, and so is the wait for room; both until the run settles. */
export function silent(): Partial<Activities> {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  return {
    streamFromProvider: ({ candidate }) => isOver.then(() => outcomeWith(candidate)),
    waitForRoom: () => isOver.then(() => ({ restMs: 0 })),
    settleBudget: async () => {
      end();
      return { warnings: [] };
    },
  };
}

/** The stream runs until it is cancelled, and then fails with an error of its provider. */
export function failsWhenCancelled(code: ErrorCode): Partial<Activities> {
  return {
    streamFromProvider: async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 50);
      await context.cancelled.catch(() => clearInterval(beat));
      throw ApplicationFailure.create({ type: code, message: ERRORS[code].fix });
    },
  };
}

type Handle = Awaited<ReturnType<typeof startGeneration>>;

/**
 * Runs one generation to its end and gives its result, the steps that were called, and its history.
 * @param interrupt what is done to one once it streams; by default only one whose stream is endless is cancelled
 */
export async function runGeneration(
  environment: WorkflowEnvironment,
  changed: Partial<Activities> = {},
  facts: Partial<GenerationOrder> = {},
  interrupt: ((handle: Handle) => Promise<unknown>) | null = changed === endless
    ? (handle) => handle.cancel()
    : null,
) {
  const { activities, calls } = stubActivities(changed);
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startGeneration(environment, taskQueue, orderOf(facts));
    if (interrupt !== null) {
      await waitFor('it streams, or waits for room', () =>
        calls.some((call) => /^(?:streamFromProvider|waitForRoom)/.test(call)),
      );
      await interrupt(handle);
    }
    const outcome = await handle.result();
    return { outcome, calls, history: await handle.fetchHistory() };
  });
}

/** The first candidate has no room at first, and the generation waits for it in the queue and by a timer. */
function fullAtFirst(): Partial<Activities> {
  let looks = 0;
  return {
    streamFromProvider: async ({ candidate, room }) => {
      if (room !== undefined) return outcomeWith(candidate);
      const type = 'provider_full' satisfies ErrorCode;
      const details = [{ waitMs: 50 }];
      throw ApplicationFailure.create({ type, message: type, nonRetryable: true, details });
    },
    waitForRoom: async () => {
      looks += 1;
      return looks === 1 ? { restMs: 40 } : { keyId: 'key', slot: 1 };
    },
  };
}

/** A generation with a warning, and the run that sends it. */
async function runWarned(environment: WorkflowEnvironment) {
  const warning = warningOf(`warn_${crypto.randomUUID()}`, 'acme');
  const { activities } = stubActivities({ settleBudget: async () => ({ warnings: [warning] }) });
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startGeneration(environment, taskQueue, orderOf());
    await handle.result();
    const sender = environment.temporal.client.workflow.getHandle(`acme/${warning.warningId}`);
    await sender.result();
    return { warned: await handle.fetchHistory(), sent: await sender.fetchHistory() };
  });
}

/** A delivery that a settlement prepares. */
export function deliveryOf(deliveryId: string): WebhookDelivery {
  return { tenant: 'acme', deliveryId, eventType: 'response.completed' };
}

/** A generation whose end is delivered, and the run that delivers it at its second attempt. */
async function runNotified(environment: WorkflowEnvironment) {
  const delivery = deliveryOf(`msg_${crypto.randomUUID()}`);
  let attempts = 0;
  const { activities } = stubActivities({
    settleBudget: async () => ({ warnings: [], deliveries: [delivery] }),
    deliverWebhook: async () => {
      attempts += 1;
      if (attempts === 1) throw ApplicationFailure.create({ message: 'busy', nextRetryDelay: 1 });
    },
  });
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startGeneration(environment, taskQueue, orderOf());
    await handle.result();
    const sender = environment.temporal.client.workflow.getHandle(webhookRunId(delivery));
    await sender.result();
    return { notified: await handle.fetchHistory(), delivered: await sender.fetchHistory() };
  });
}

type RecordedRun = (environment: WorkflowEnvironment) => Promise<History>;

const historyOf = async (run: ReturnType<typeof runGeneration>) => (await run).history;
const cancelledWithError: RecordedRun = (environment) =>
  historyOf(
    runGeneration(environment, failsWhenCancelled('provider_unavailable'), {}, (handle) => handle.cancel()),
  );

/** What record-history.ts can record, by name. Each file is of the code that was current when it was recorded. */
export const RECORDED_RUNS: Readonly<Record<string, RecordedRun>> = {
  plain: (environment) => historyOf(runGeneration(environment, {}, { cache: 'on' })),
  fallback: (environment) => historyOf(runGeneration(environment, firstFails('provider_unavailable'))),
  cancelled: (environment) => historyOf(runGeneration(environment, endless)),
  /** Of code that tried the next candidate, and was refused there. */
  cancelledWithError,
  /** The same under the patch `cancel-outranks-errors`. */
  cancelOutranksError: cancelledWithError,
  /** Under the patch `cancel-by-log`. */
  cancelByLog: (environment) => historyOf(runGeneration(environment, endless)),
  waitForRoom: (environment) => historyOf(runGeneration(environment, fullAtFirst(), { candidates: [FIRST] })),
  raiseCap: (environment) =>
    historyOf(
      runGeneration(environment, endless, {}, async (handle) => {
        await handle.signal(SIGNALS.raiseCap, { maxOutputTokens: 900 });
        await handle.cancel();
      }),
    ),
  stopped: (environment) =>
    historyOf(runGeneration(environment, endless, {}, (handle) => handle.signal(SIGNALS.stop))),
  warned: async (environment) => (await runWarned(environment)).warned,
  budgetWarning: async (environment) => (await runWarned(environment)).sent,
  notified: async (environment) => (await runNotified(environment)).notified,
  webhookDelivery: async (environment) => (await runNotified(environment)).delivered,
  job: recordJob,
  scheduledRun: recordTick,
  batch: recordBatch,
  batchShard: recordShard,
  scheduledBatch: recordScheduledBatch,
  /** Of a batch that was handed over to its vendor. */
  batchWaiting: recordWaiting,
  batchShardAnswered: recordAnswered,
};
