/** A local Temporal with our search attributes, and workers whose activities are stubs that record their calls. */
import type { WorkflowStartOptions } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Activities } from '../../activities/create-activities.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import type { JobItem } from '../../contracts/job-steps.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { SEARCH_ATTRIBUTES, WORKFLOW_TYPE, workflowId } from '../../contracts/names.ts';
import type { GenerationOutcome } from '../../contracts/steps.ts';
import { findTemporalExecutable } from '../../tools/services/programs/temporal-cli.js';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { createWaitingRooms } from '../../worker/waiting-rooms.ts';
import { createWebhookWorker } from '../../worker/webhook-worker.ts';
import { TEST_DATA_DIR } from '../harness/stack.ts';
import { installQuietRuntime } from './quiet-runtime.ts';

export const FIRST = { provider: 'first', model: 'm1' };
export const SECOND = { provider: 'second', model: 'm2' };

export const RESERVATION = { reservedTokens: 120, maxOutputTokens: 100, remainingTokens: null };

let taskQueues = 0;

export interface WorkflowEnvironment {
  readonly temporal: TestWorkflowEnvironment;
  readonly bundle: { readonly code: string };
  /** Runs a worker on its own queue while `use` runs. */
  withWorker<Result>(activities: Activities, use: (taskQueue: string) => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

export async function startWorkflowEnvironment(): Promise<WorkflowEnvironment> {
  installQuietRuntime();
  const path = await findTemporalExecutable((line) => process.stderr.write(`${line}\n`));
  const attributes = Object.entries(SEARCH_ATTRIBUTES);
  const [temporal, bundle] = await Promise.all([
    TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path },
        extraArgs: attributes.flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
      },
    }),
    bundleWorkflows(TEST_DATA_DIR),
  ]);
  return {
    temporal,
    bundle,
    async withWorker(activities, use) {
      taskQueues += 1;
      const taskQueue = `workflows-${taskQueues}`;
      const worker = await Worker.create({
        connection: temporal.nativeConnection,
        taskQueue,
        workflowBundle: bundle,
        activities,
        // Cancellation reaches an activity by its heartbeats; they are to leave at once.
        maxHeartbeatThrottleInterval: '50ms',
      });
      const names = [FIRST.provider, SECOND.provider];
      const shared = { connection: temporal.nativeConnection };
      const rooms = await createWaitingRooms(shared, taskQueue, names, activities.waitForRoom);
      const others = [...rooms, await createWebhookWorker(shared, taskQueue, activities.deliverWebhook)];
      const waiting = others.map((other) => other.run());
      try {
        return await worker.runUntil(() => use(taskQueue));
      } finally {
        for (const other of others) other.shutdown();
        await Promise.all(waiting);
      }
    },
    stop: () => temporal.teardown(),
  };
}

export function orderOf(facts: Partial<GenerationOrder> = {}): GenerationOrder {
  return {
    generationId: `gen_${crypto.randomUUID()}`,
    tenant: 'acme',
    user: 'ann',
    team: null,
    keyId: 'key_1',
    route: 'default',
    candidates: [FIRST, SECOND],
    cache: 'off',
    maxOutputTokens: 100,
    limitMs: 60_000,
    inputChars: 5,
    ...facts,
  };
}

export function outcomeWith(facts: Partial<GenerationOutcome> = {}): GenerationOutcome {
  return {
    status: 'completed',
    ...FIRST,
    finishReason: 'stop',
    usage: NO_USAGE,
    costMicroUsd: 3,
    attempts: 1,
    cached: false,
    lastSeq: 9,
    errorCode: null,
    ...facts,
  };
}

interface StubbedActivities {
  readonly activities: Activities;
  /** The steps in the order of their beginnings, as `name` or `name detail`. */
  readonly calls: string[];
}

type BatchSteps = Pick<
  Activities,
  | 'checkBatch'
  | 'handOver'
  | 'awaitVendors'
  | 'keepAnswers'
  | 'takeAnswers'
  | 'openShard'
  | 'prepareLine'
  | 'embedLine'
  | 'recordShard'
  | 'endBatch'
>;

const PLAIN_BATCH_STEPS: BatchSteps = {
  checkBatch: async () => ({ lines: 3, shardLines: 2 }),
  handOver: async () => ({ isPrepared: true, isSubmitted: true, liveAtMs: Date.now() + 60_000 }),
  awaitVendors: async () => undefined,
  keepAnswers: async () => undefined,
  takeAnswers: async () => ({ lines: [], warnings: [], deliveries: [] }),
  openShard: async ({ shard, lines, shardLines }) => ({
    // Each line has ten bytes.
    offsets: Array.from({ length: Math.min(shardLines, lines - shard * shardLines) + 1 }, (_, at) => at * 10),
    isRecorded: false,
  }),
  prepareLine: async () => ({ next: 'over' }),
  embedLine: async () => undefined,
  recordShard: async () => undefined,
  endBatch: async ({ stop }) => ({ status: stop ?? 'completed', costMicroUsd: 3, deliveries: [] }),
};

function notedBatchSteps(
  used: BatchSteps,
  noted: <Result>(call: string, result: Result) => Result,
): BatchSteps {
  return {
    checkBatch: (name) => noted('checkBatch', used.checkBatch(name)),
    handOver: (step) => noted('handOver', used.handOver(step)),
    awaitVendors: (wait) => noted(`awaitVendors${wait.cancels ? ' cancels' : ''}`, used.awaitVendors(wait)),
    keepAnswers: (step) => noted('keepAnswers', used.keepAnswers(step)),
    takeAnswers: (step) =>
      noted(`takeAnswers ${step.shard}${step.closes ? ` closes ${step.stop}` : ''}`, used.takeAnswers(step)),
    openShard: (shard) => noted(`openShard ${shard.shard}`, used.openShard(shard)),
    prepareLine: (step) => noted(`prepareLine ${step.line}`, used.prepareLine(step)),
    embedLine: (step) => noted(`embedLine ${step.line}`, used.embedLine(step)),
    recordShard: (shard) => noted(`recordShard ${shard.shard} ${shard.stop}`, used.recordShard(shard)),
    endBatch: (end) => noted(`endBatch ${end.nextShard} ${end.stop}`, used.endBatch(end)),
  };
}

/** Activities of a run in which all goes well, unless a test says otherwise. */
export function stubActivities(changed: Partial<Activities> = {}): StubbedActivities {
  const calls: string[] = [];
  const plain: Activities = {
    beginGeneration: async () => ({ next: 'stream', reservation: RESERVATION, waitMs: 0 }),
    noteCompaction: async () => undefined,
    streamFromProvider: async ({ candidate }) => outcomeWith(candidate),
    settleBudget: async () => ({ warnings: [] }),
    storeAnswer: async () => undefined,
    answerFromCache: async () => null,
    waitForRoom: async () => ({ keyId: 'key', slot: 1 }),
    closeGeneration: async ({ as, error }) =>
      outcomeWith({
        status: as,
        provider: null,
        model: null,
        finishReason: null,
        errorCode: error?.code ?? null,
      }),
    requestCancel: async () => undefined,
    raiseOutputCap: async () => ({ granted: false, budget: null, remaining: 0 }),
    sendBudgetWarning: async () => undefined,
    deliverWebhook: async () => undefined,
    giveUpWebhook: async () => undefined,
    beginStep: async () => ({ next: 'generate', items: 1, deadlineAtMs: Number.MAX_SAFE_INTEGER }),
    prepareItem: async () => ({ next: 'over-budget' }),
    recordItem: async () => ({ status: 'completed', costMicroUsd: 3, failure: null, mayRetry: false }),
    decideStep: async () => ({ isFatal: false }),
    openTick: async () => ({ kind: 'generation', order: orderOf(), priority: { fairnessKey: 'acme/ann' } }),
    eraseStage: async () => ({ found: 0, pending: 0 }),
    completeErasure: async () => undefined,
    endStep: async () => undefined,
    endJob: async ({ as, failure }) => ({ status: as, costMicroUsd: 3, errorCode: failure?.code ?? null }),
    ...PLAIN_BATCH_STEPS,
  };
  const used = { ...plain, ...changed };
  const activities: Activities = {
    beginGeneration: (step) => noted('beginGeneration', used.beginGeneration(step)),
    noteCompaction: (order) => noted('noteCompaction', used.noteCompaction(order)),
    streamFromProvider: (step) =>
      noted(`streamFromProvider ${step.candidate.provider}`, used.streamFromProvider(step)),
    settleBudget: (step) => noted(`settleBudget ${step.outcome.status}`, used.settleBudget(step)),
    storeAnswer: (step) => noted('storeAnswer', used.storeAnswer(step)),
    answerFromCache: (order) => noted('answerFromCache', used.answerFromCache(order)),
    waitForRoom: (step) => noted(`waitForRoom ${step.candidate.provider}`, used.waitForRoom(step)),
    closeGeneration: (step) => noted(`closeGeneration ${step.error?.code}`, used.closeGeneration(step)),
    requestCancel: (step) => noted('requestCancel', used.requestCancel(step)),
    raiseOutputCap: (step) => noted(`raiseOutputCap ${step.maxOutputTokens}`, used.raiseOutputCap(step)),
    sendBudgetWarning: (warning) =>
      noted(`sendBudgetWarning ${warning.level}`, used.sendBudgetWarning(warning)),
    deliverWebhook: (delivery) =>
      noted(`deliverWebhook ${delivery.eventType}`, used.deliverWebhook(delivery)),
    giveUpWebhook: (delivery) => noted(`giveUpWebhook ${delivery.eventType}`, used.giveUpWebhook(delivery)),
    beginStep: (step) => noted(`beginStep ${step.step}`, used.beginStep(step)),
    prepareItem: (item) => noted(`prepareItem ${nameOf(item)}`, used.prepareItem(item)),
    recordItem: (item) => noted(`recordItem ${nameOf(item)}`, used.recordItem(item)),
    decideStep: (step) => noted(`decideStep ${step.step}`, used.decideStep(step)),
    openTick: (step) => noted('openTick', used.openTick(step)),
    eraseStage: (step) => noted(`eraseStage ${step.stage}`, used.eraseStage(step)),
    completeErasure: (order) => noted('completeErasure', used.completeErasure(order)),
    endStep: (step) => noted(`endStep ${step.step} ${step.status}`, used.endStep(step)),
    endJob: (ending) => noted(`endJob ${ending.as}`, used.endJob(ending)),
    ...notedBatchSteps(used, noted),
  };
  function noted<Result>(call: string, result: Result): Result {
    calls.push(call);
    return result;
  }
  return { activities, calls };
}

function nameOf({ step, item, attempt }: JobItem): string {
  return `${step}/${item}/${attempt}`;
}

/** @param options such as a delay of its first task */
export function startGeneration(
  { temporal }: WorkflowEnvironment,
  taskQueue: string,
  order: GenerationOrder,
  options: Pick<WorkflowStartOptions, 'startDelay'> = {},
) {
  return temporal.client.workflow.start<(order: GenerationOrder) => Promise<GenerationOutcome>>(
    WORKFLOW_TYPE,
    {
      workflowId: workflowId(order.tenant, order.generationId),
      taskQueue,
      args: [order],
      ...options,
    },
  );
}
