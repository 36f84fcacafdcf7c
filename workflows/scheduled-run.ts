/**
 * One tick of a schedule: a generation or a job. Temporal starts it once for each time, under an id with that time, and
 * the id of what it runs is a hash of that, so a tick runs once whatever is killed. It lasts as long as what it runs,
 * so that the schedule knows whether the next tick overlaps.
 */
import {
  ApplicationFailure,
  executeChild,
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { JobOrder, JobOutcome, TickOrder, TickPriority } from '../contracts/job-steps.ts';
import { JOB_TYPE, workflowId } from '../contracts/names.ts';
import { JOB_STEP } from './activity-options.ts';
import { runChildGeneration } from './child-generation.ts';
import { outlivesVersions } from './outlives-versions.ts';

const { openTick } = proxyLocalActivities<Activities>(JOB_STEP);

export async function scheduledRun({ tenant, scheduleId }: TickOrder): Promise<string> {
  const tick = workflowInfo().workflowId;
  const opened = await openTick({ job: { tenant, jobId: scheduleId }, tick });
  if (opened.kind === 'refused') throw failed(opened.failure.code);
  if (opened.order === null) return 'completed';
  const id = opened.kind === 'job' ? opened.order.jobId : opened.order.generationId;
  setCurrentDetails(`runs **${id}**`);
  const { status, errorCode } =
    opened.kind === 'job'
      ? await runJob(opened.order, opened.priority)
      : await runChildGeneration(opened.order, opened.priority);
  upsertSearchAttributes({ UnbrokenStatus: [status] });
  if (status === 'failed') throw failed(errorCode ?? 'internal');
  return status;
}

function runJob(order: JobOrder, priority: TickPriority): Promise<JobOutcome> {
  return executeChild<(order: JobOrder) => Promise<JobOutcome>>(JOB_TYPE, {
    args: [order],
    priority,
    workflowId: workflowId(order.tenant, order.jobId),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${order.user}: ${order.steps.length} steps`,
    searchAttributes: {
      UnbrokenTenant: [order.tenant],
      UnbrokenUser: [order.user],
      UnbrokenStatus: ['running'],
    },
  });
}

/** The tick fails with its run, so that the schedule can pause, and an operator sees it. */
function failed(code: string): ApplicationFailure {
  return ApplicationFailure.create({ message: `It failed with ${code}.`, type: code, nonRetryable: true });
}

outlivesVersions(scheduledRun);
