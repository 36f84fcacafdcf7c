/**
 * One tick of a schedule: a generation, a job or a batch. Temporal starts it once for each time, under an id with that
 * time, and the id of what it runs is a hash of that, so a tick runs once whatever is killed. It lasts as long as what
 * it runs, so that the schedule knows whether the next tick overlaps.
 */
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { type BatchOrder, type BatchOutcome, NO_PROGRESS } from '../contracts/batches.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { EndedJob, JobOrder, JobOutcome, OpenedTick, TickOrder } from '../contracts/job-steps.ts';
import { BATCH_TYPE, JOB_TYPE, workflowId } from '../contracts/names.ts';
import { BATCH_STEP, JOB_STEP } from './activity-options.ts';
import { runChildGeneration } from './child-generation.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { sendDeliveries } from './webhook-delivery.ts';

type RunJob = (order: JobOrder) => Promise<JobOutcome>;
type RunBatch = (order: BatchOrder) => Promise<BatchOutcome>;

const { endJob, openTick } = proxyLocalActivities<Activities>(JOB_STEP);
const { endBatch } = proxyActivities<Activities>(BATCH_STEP);

export async function scheduledRun({ tenant, scheduleId }: TickOrder): Promise<string> {
  const tick = workflowInfo().workflowId;
  // Also if it is cancelled: an attempt before this one may have opened it, and no other run would end what it opened.
  const opened = await CancellationScope.nonCancellable(() =>
    openTick({ job: { tenant, jobId: scheduleId }, tick }),
  );
  if (opened.kind === 'refused') throw failed(opened.failure.code);
  const outcome = await runOpened(opened);
  if (outcome === null) return 'completed';
  const { status, errorCode } = outcome;
  upsertSearchAttributes({ UnbrokenStatus: [status] });
  if (status === 'failed') throw failed(errorCode ?? 'internal');
  return status;
}

interface RunOutcome {
  readonly status: BatchOutcome['status'];
  readonly errorCode: ErrorCode | null;
}

/** @returns null if it has ended before. */
async function runOpened(opened: Exclude<OpenedTick, { kind: 'refused' }>): Promise<RunOutcome | null> {
  const { kind, order, priority } = opened;
  if (order === null) return null;
  if (kind === 'generation') {
    setCurrentDetails(`runs **${order.generationId}**`);
    return runChildGeneration(order, priority);
  }
  const [id, what] =
    kind === 'job' ? [order.jobId, `${order.steps.length} steps`] : [order.batchId, 'a batch'];
  setCurrentDetails(`runs **${id}**`);
  const { tenant, user } = order;
  const child = {
    priority,
    workflowId: workflowId(tenant, id),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${user}: ${what}`,
    searchAttributes: { UnbrokenTenant: [tenant], UnbrokenUser: [user], UnbrokenStatus: ['running'] },
  };
  if (kind === 'job') {
    const run = startChild<RunJob>(JOB_TYPE, { ...child, args: [order] });
    return (
      await begun(run, () => endJob({ job: { tenant, jobId: id }, as: 'cancelled', failure: null }))
    ).result();
  }
  const { deadlineAtMs } = order;
  const run = startChild<RunBatch>(BATCH_TYPE, { ...child, args: [order] });
  const end = () => endBatch({ tenant, batchId: id, deadlineAtMs, ...NO_PROGRESS, stop: 'cancelled' });
  const { status } = await (await begun(run, end)).result();
  // It fails only if its file is refused; the batch says why.
  return { status, errorCode: status === 'failed' ? 'invalid_request' : null };
}

/** @param end ends what the tick has opened, if it is cancelled before its run has begun. */
async function begun<Run>(run: Promise<Run>, end: () => Promise<Pick<EndedJob, 'deliveries'>>): Promise<Run> {
  try {
    return await run;
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(async () => {
        const { deliveries = [] } = await end();
        await sendDeliveries(deliveries);
      });
    }
    throw error;
  }
}

/** The tick fails with its run, so that the schedule can pause, and an operator sees it. */
function failed(code: string): ApplicationFailure {
  return ApplicationFailure.create({ message: `It failed with ${code}.`, type: code, nonRetryable: true });
}

outlivesVersions(scheduledRun);
