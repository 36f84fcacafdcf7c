/** The activities with their dependencies. The Temporal UI shows their names. */
import { LIMITS } from '../contracts/limits.ts';
import type { BeginStep, BegunGeneration } from '../contracts/steps.ts';
import { RunningStreams } from './attempt/running-streams.ts';
import { awaitVendors } from './batches/await-vendors.ts';
import type { BatchDependencies } from './batches/batch-dependencies.ts';
import { checkBatch } from './batches/check-batch.ts';
import { endBatch } from './batches/end-batch.ts';
import { handOver } from './batches/hand-over.ts';
import { keepAnswers } from './batches/keep-answers.ts';
import { embedLine, openShard, prepareLine } from './batches/prepare-line.ts';
import { recordShard } from './batches/record-shard.ts';
import { takeAnswers } from './batches/take-answers.ts';
import { type BeginEarly, BegunGenerations } from './begin-generation.ts';
import { closeGeneration } from './close-generation.ts';
import { deliverWebhook, giveUpWebhook } from './deliver-webhook.ts';
import type { Dependencies } from './dependencies.ts';
import { completeErasure } from './erasure/complete-erasure.ts';
import { eraseStage } from './erasure/erase-stage.ts';
import type { ErasureDependencies } from './erasure/erasure-dependencies.ts';
import { beginStep } from './jobs/begin-step.ts';
import { decideStep, endJob, endStep } from './jobs/end-step.ts';
import type { JobDependencies } from './jobs/job-dependencies.ts';
import { openTick } from './jobs/open-tick.ts';
import { prepareItem } from './jobs/prepare-item.ts';
import { recordItem } from './jobs/record-item.ts';
import { lastResortAnswer } from './last-resort-answer.ts';
import { noteCompaction } from './note-compaction.ts';
import { raiseOutputCap } from './raise-output-cap.ts';
import { requestCancel } from './request-cancel.ts';
import { sendBudgetWarning } from './send-budget-warning.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { streamFromProvider } from './stream-from-provider.ts';
import { waitForRoom } from './wait-for-room.ts';

/** What the worker does with the streams that run in it, besides its activities. */
export interface WorkerStreams {
  readonly beginEarly: BeginEarly;
  cancel(generationId: string): void;
  count(): number;
  /** To be called while the worker still polls: resolves when its own activities have adopted its streams. */
  leave(): Promise<void>;
}

/** @param maxStreams that this worker runs at once. */
export function createActivities(
  dependencies: Dependencies & JobDependencies & BatchDependencies & ErasureDependencies,
  maxStreams: number,
) {
  const running = new RunningStreams(maxStreams);
  const begun = new BegunGenerations(dependencies, running);
  const activities = {
    beginGeneration: (step: BeginStep): Promise<BegunGeneration> => begun.beginGeneration(step),
    noteCompaction: noteCompaction(dependencies),
    streamFromProvider: streamFromProvider(dependencies, running),
    settleBudget: settleBudget(dependencies),
    storeAnswer: storeAnswer(dependencies),
    answerFromCache: lastResortAnswer(dependencies),
    waitForRoom: waitForRoom(dependencies),
    closeGeneration: closeGeneration(dependencies),
    requestCancel: requestCancel(dependencies),
    raiseOutputCap: raiseOutputCap(dependencies),
    sendBudgetWarning: sendBudgetWarning(dependencies),
    deliverWebhook: deliverWebhook(dependencies),
    giveUpWebhook: giveUpWebhook(dependencies),
    beginStep: beginStep(dependencies),
    prepareItem: prepareItem(dependencies),
    recordItem: recordItem(dependencies),
    decideStep: decideStep(dependencies),
    endStep: endStep(dependencies),
    endJob: endJob(dependencies),
    openTick: openTick(dependencies),
    checkBatch: checkBatch(dependencies),
    handOver: handOver(dependencies),
    awaitVendors: awaitVendors(dependencies),
    keepAnswers: keepAnswers(dependencies),
    takeAnswers: takeAnswers(dependencies),
    openShard: openShard(dependencies),
    prepareLine: prepareLine(dependencies),
    embedLine: embedLine(dependencies),
    recordShard: recordShard(dependencies),
    endBatch: endBatch(dependencies),
    eraseStage: eraseStage(dependencies),
    completeErasure: completeErasure(dependencies),
  };
  const streams: WorkerStreams = {
    beginEarly: (start) => begun.beginEarly(start),
    cancel: (generationId) => running.cancel(generationId),
    count: () => running.count(),
    leave: () => running.leave(LIMITS.adoptOnLeaveMs),
  };
  return { activities, streams };
}

export type Activities = ReturnType<typeof createActivities>['activities'];
