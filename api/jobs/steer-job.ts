/** Pauses, resumes and cancels jobs, and notes what people decide. Each call may be repeated. */
import { randomUUID } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Decision } from '../../contracts/job-steps.ts';
import { JOB_SIGNALS } from '../../contracts/names.ts';
import type { JobHead } from '../../engine/jobs/job-store.ts';
import type { Caller } from '../access/api-keys.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ifRunExists } from '../generations/if-run-exists.ts';
import { foldedJob } from './job-view.ts';

type Dependencies = Pick<ApiDependencies, 'config' | 'jobs' | 'log' | 'temporal'>;

/** @throws job_conflict if it has ended. */
export async function setPaused(
  dependencies: Dependencies,
  { user }: Caller,
  head: JobHead,
  { isPaused }: { readonly isPaused: boolean },
): Promise<void> {
  const folded = await foldedJob(dependencies, head);
  if (folded.end !== null) throw hasEnded(head);
  if (folded.isPaused !== isPaused) {
    const type = isPaused ? 'job-pause' : 'job-resume';
    await dependencies.jobs.append(head.jobId, `${type}:${randomUUID()}`, [{ type, by: user }]);
  }
  await signal(dependencies, head, isPaused ? JOB_SIGNALS.pause : JOB_SIGNALS.resume);
}

/** A job that has ended stays as it is. */
export async function cancelJob(dependencies: Dependencies, head: JobHead): Promise<void> {
  const folded = await foldedJob(dependencies, head);
  if (folded.end !== null) return;
  // A running stream learns of it from its next append; Temporal ends the generation in every other state.
  const running = [...folded.steps.values()].flatMap(({ generations }) =>
    generations.flatMap(({ status, generationId }) =>
      status === 'running' && generationId !== null ? [generationId] : [],
    ),
  );
  await Promise.all(running.map((generationId) => dependencies.log.requestCancel(generationId)));
  if ((await withRun(dependencies, head, (run) => run.cancel())) !== null) return;
  // It was never started, or was terminated: nothing else ends the job.
  const { usage, costMicroUsd } = folded;
  await dependencies.jobs.append(head.jobId, 'end', [{ type: 'job-cancel', usage, costMicroUsd }]);
}

interface PersonsDecision extends Decision {
  readonly note: string | undefined;
}

/** The first decision counts. @throws job_conflict, not_found */
export async function decide(
  dependencies: Dependencies,
  { user }: Caller,
  head: JobHead,
  { step: name, approved, note = null }: Omit<PersonsDecision, 'note'> & { readonly note?: string | null },
): Promise<void> {
  const step = (await foldedJob(dependencies, head)).steps.get(name);
  if (step === undefined) throw new UnbrokenError('not_found', `The job ${head.jobId} has no step ${name}.`);
  if (step.approval === null) {
    throw new UnbrokenError('job_conflict', `The step ${name} waits for no decision; it is ${step.status}.`);
  }
  const decision = { approved, by: user, note };
  const values = new Map([[name, JSON.stringify(decision)]]);
  const { jobs } = dependencies;
  const kept = await jobs.append(
    head.jobId,
    `approval:${name}`,
    [{ type: 'approval', step: name, ...decision }],
    values,
  );
  if (kept === 'full') throw new UnbrokenError('job_too_large', 'The values of this job are at their limit.');
  const { decision: first = null } = (await foldedJob(dependencies, head)).steps.get(name) ?? {};
  if (first === null) throw hasEnded(head);
  if (first.approved !== approved) {
    const what = first.approved ? 'approved' : 'rejected';
    const who = first.by === null ? 'because nobody decided in time' : `by ${first.by}`;
    throw new UnbrokenError('job_conflict', `The step ${name} was ${what} before, ${who}.`);
  }
  await signal(dependencies, head, JOB_SIGNALS.decide, { step: name, approved });
}

function hasEnded({ jobId }: JobHead): UnbrokenError {
  return new UnbrokenError('job_conflict', `The job ${jobId} has ended.`);
}

async function signal(
  dependencies: Dependencies,
  head: JobHead,
  name: string,
  ...args: Decision[]
): Promise<void> {
  await withRun(dependencies, head, (run) => run.signal(name, ...args));
}

type Run = Parameters<Parameters<typeof ifRunExists>[2]>[0];

/** @returns null if there is no run. */
function withRun<Result>(
  { temporal, config }: Dependencies,
  { tenant, jobId }: JobHead,
  act: (run: Run) => Promise<Result>,
): Promise<Result | null> {
  const deadline = Date.now() + config.submit.waitForTemporalMs;
  return ifRunExists(temporal.workflow, { tenant, generationId: jobId }, (run) =>
    temporal.connection.withDeadline(deadline, () => act(run)),
  );
}
