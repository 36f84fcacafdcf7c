/** Finds a job that the caller may read. One of another caller is `not_found`, as if it did not exist. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { JobHead } from '../../engine/jobs/job-store.ts';
import type { Caller } from '../access/api-keys.ts';
import { mayRead } from '../access/may-read.ts';
import type { ApiDependencies } from '../dependencies.ts';

const ID = /^job_[0-9a-f]{32}$/;

/** @throws not_found */
export async function findJob(
  { jobs }: Pick<ApiDependencies, 'jobs'>,
  caller: Caller,
  jobId: string,
): Promise<JobHead> {
  const head = ID.test(jobId) && caller.onlyGeneration === undefined ? await jobs.head(jobId) : null;
  if (head !== null && mayRead(caller, head)) return head;
  throw new UnbrokenError('not_found', `There is no job ${jobId}.`);
}
