/** Submits what a tick of a schedule runs. A repeated call finds what the first one did. */
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import { type ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import type { OpenedTick, TickStep } from '../../contracts/job-steps.ts';
import type { StoredSchedule } from '../../engine/jobs/schedule-store.ts';
import type { JobDependencies } from './job-dependencies.ts';

type Opening = Pick<
  JobDependencies,
  | 'endStranded'
  | 'orderGeneration'
  | 'orderJob'
  | 'orderBatch'
  | 'schedules'
  | 'runIdOf'
  | 'fairnessKeyOf'
  | 'logKeptMs'
>;

export function openTick(dependencies: Opening) {
  const { endStranded, orderJob, orderBatch, schedules, runIdOf, fairnessKeyOf } = dependencies;
  const refuse = async (tick: string, code: ErrorCode): Promise<OpenedTick> => {
    // An attempt before this one may have submitted it, and nothing starts its run any more.
    await endStranded(runIdOf('generation', tick));
    return { kind: 'refused', failure: { code } };
  };
  return async ({ job: { jobId: scheduleId }, tick }: TickStep): Promise<OpenedTick> => {
    const schedule = await schedules.find(scheduleId);
    // It was deleted a moment ago.
    if (schedule === null) return refuse(tick, 'not_found');
    if (!(await schedules.mayPay(schedule))) return refuse(tick, 'unauthorized');
    const { owner, request } = schedule;
    const webhook = schedule.webhook === undefined ? {} : { webhook: schedule.webhook };
    const priorityKey = request.generation?.priority ?? request.job?.priority;
    const fairness = { fairnessKey: fairnessKeyOf(owner) };
    const priority = priorityKey === undefined ? fairness : { ...fairness, priorityKey };
    try {
      if (request.job !== undefined) {
        const job = { jobId: runIdOf('job', tick), request: request.job, ...webhook };
        return { kind: 'job', order: await orderJob(owner, job), priority };
      }
      if (request.batch !== undefined) {
        const batch = { batchId: runIdOf('batch', tick), request: request.batch, ...webhook };
        const last = { ...priority, priorityKey: BATCH_LIMITS.priority };
        return { kind: 'batch', order: await orderBatch(owner, batch), priority: last };
      }
      return { kind: 'generation', order: await generationOf(dependencies, schedule, tick), priority };
    } catch (error) {
      if (!(error instanceof UnbrokenError) || error.code === 'service_unavailable') throw error;
      return refuse(tick, error.code);
    }
  };
}

/** @returns null if it has ended before. */
async function generationOf(
  { orderGeneration, runIdOf, logKeptMs }: Opening,
  { owner, request, webhook, scheduleId }: StoredSchedule,
  tick: string,
): Promise<GenerationOrder | null> {
  if (request.generation === undefined) throw new RangeError(`The schedule ${scheduleId} starts nothing.`);
  const ordered = await orderGeneration({
    owner,
    generationId: runIdOf('generation', tick),
    request: request.generation,
    ...(webhook === undefined ? {} : { webhook }),
    keptMs: logKeptMs,
    leftMicroUsd: null,
  });
  return ordered?.order ?? null;
}
