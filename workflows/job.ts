/**
 * A job: the steps of a pipeline, each once all that it needs is over. A step's generations are ordinary runs, its
 * children; their ids derive from the job's, so a step that has ended is never paid for again. Texts are in the logs
 * and in the job's values; the history holds ids, counts and money. A job that grows long continues as a new run, once
 * nothing of it is in progress.
 */
import {
  CancellationScope,
  condition,
  continueAsNew,
  defineSignal,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { Decision, EndJob, EndStep, JobOrder, JobOutcome, PlannedStep } from '../contracts/job-steps.ts';
import { formatUsd } from '../contracts/money.ts';
import { JOB_SIGNALS } from '../contracts/names.ts';
import { JOB_STEP } from './activity-options.ts';
import { JobBoard } from './job-board.ts';
import { runItem } from './job-item.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { sendDeliveries } from './webhook-delivery.ts';

const { beginStep, decideStep, endStep, endJob } = proxyLocalActivities<Activities>(JOB_STEP);

const pause = defineSignal(JOB_SIGNALS.pause);
const resume = defineSignal(JOB_SIGNALS.resume);
/** A person has decided; the job's events say who, and why. */
const decide = defineSignal<[Decision]>(JOB_SIGNALS.decide);

export async function job(order: JobOrder): Promise<JobOutcome> {
  const board = new JobBoard(order);
  setHandler(pause, () => board.setPaused(true));
  setHandler(resume, () => board.setPaused(false));
  setHandler(decide, (decision) => board.note(decision));
  const root = CancellationScope.current();
  const leftMs = Math.max(1, order.deadlineAtMs - Date.now());
  const scope = new CancellationScope({ cancellable: true, timeout: leftMs });
  // All of them, not the first that fails: after a cancellation the others still close their generations.
  const results = await scope.run(() =>
    Promise.allSettled(
      order.steps.map((step) => runStep(board, step).catch((error) => board.abort(step, error))),
    ),
  );
  const thrown = results.find((result) => result.status === 'rejected')?.reason ?? null;
  const isCut = thrown !== null || !board.isAllOver();
  const isCancelled = root.consideredCancelled;
  // One that came while a step was being ended has interrupted nothing, and the next run would not know of it.
  if (isCut && thrown === null && board.failure === null && !isCancelled) {
    return continueAsNew<typeof job>({ ...order, done: board.progress() });
  }
  const isTimeOver = !isCancelled && Date.now() >= order.deadlineAtMs;
  const ending = endingOf(board, { isCut, isTimeOver });
  return CancellationScope.nonCancellable(() => close(board, ending));
}

type Ending = Pick<EndJob, 'as' | 'failure'>;

async function close(board: JobBoard, { as, failure }: Ending): Promise<JobOutcome> {
  const ending: EndJob = { job: board.jobName, as, failure };
  const { deliveries = [], ...outcome } = await endJob(ending);
  await sendDeliveries(deliveries);
  setCurrentDetails(`**${outcome.status}**, ${formatUsd(outcome.costMicroUsd)}`);
  upsertSearchAttributes({
    UnbrokenStatus: [outcome.status],
    UnbrokenCostMicroUsd: [outcome.costMicroUsd],
  });
  return outcome;
}

function endingOf(
  { failure }: JobBoard,
  { isCut, isTimeOver }: { readonly isCut: boolean; readonly isTimeOver: boolean },
): Ending {
  if (failure !== null) return { as: 'failed', failure };
  if (!isCut) return { as: 'completed', failure: null };
  if (isTimeOver) return { as: 'failed', failure: { code: 'job_timeout', step: null } };
  return { as: 'cancelled', failure: null };
}

async function runStep(board: JobBoard, step: PlannedStep): Promise<void> {
  const { name } = step;
  await condition(() => board.isReady(step) || board.isStopping);
  if (board.isStopping || board.isOver(name)) return;
  if (!board.hasBegun(name)) {
    const begun = await beginStep({ job: board.jobName, step: name });
    board.begin(name, begun);
    if (begun.next === 'fail') return board.fail(step, begun.failure);
    if (begun.next === 'wait') await sendDeliveries(begun.deliveries ?? []);
    if (begun.next !== 'generate' && begun.next !== 'wait') return;
  }
  if (step.kind === 'approve') await waitForDecision(board, step);
  else await generateItems(board, step);
}

async function generateItems(board: JobBoard, step: PlannedStep): Promise<void> {
  const { name } = step;
  const running: Promise<void>[] = [];
  const start = async () => {
    while (board.hasNext(name)) {
      await condition(() => board.mayStart(step) || board.isStopping);
      if (board.isStopping) return;
      running.push(generateItem(board, step, board.take(name)));
    }
  };
  const started = await Promise.allSettled([start()]);
  const results = [...started, ...(await Promise.allSettled(running))];
  const thrown = results.find((result) => result.status === 'rejected');
  const hasFailed = board.failure?.step === name;
  // Another step has failed, or the next run continues this one.
  if (thrown === undefined && board.hasNext(name) && !hasFailed) return;
  const status = thrown !== undefined ? 'cancelled' : hasFailed ? 'failed' : 'completed';
  await end(board, { step: name, status, failure: status === 'failed' ? board.failure : null });
  if (thrown !== undefined) throw thrown.reason;
}

async function generateItem(board: JobBoard, step: PlannedStep, item: number): Promise<void> {
  const failure = await runItem(board, step, item);
  board.release(step.name);
  if (failure !== null) board.failItem(step, failure);
}

async function end(board: JobBoard, ending: Omit<EndStep, 'job'>): Promise<void> {
  await CancellationScope.nonCancellable(() => endStep({ job: board.jobName, ...ending }));
  if (ending.status === 'completed') board.finish(ending.step);
}

async function waitForDecision(board: JobBoard, step: PlannedStep): Promise<void> {
  const { name } = step;
  const timeoutAtMs = board.timeoutAtMs(name);
  const isAwake = () => board.decisionOn(name) !== undefined || board.isStopping;
  if (timeoutAtMs === null) await condition(isAwake);
  else await condition(isAwake, Math.max(1, timeoutAtMs - Date.now()));
  const isTimeOver = timeoutAtMs !== null && Date.now() >= timeoutAtMs;
  if (!isTimeOver && board.decisionOn(name) === undefined) return;
  // The end of the time, or what a person has decided just before it.
  const { isFatal } = await decideStep({ job: board.jobName, step: name });
  const failure = isFatal ? ({ code: 'job_rejected' } as const) : null;
  if (failure !== null) board.fail(step, failure);
  await end(board, { step: name, status: isFatal ? 'failed' : 'completed', failure });
}

outlivesVersions(job);
