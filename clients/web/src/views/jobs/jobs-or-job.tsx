/** The list of jobs, or one of them. */
import { place } from '../../router.ts';
import { JobPage } from './job-page.tsx';
import { Jobs } from './jobs.tsx';

export function JobsOrJob() {
  const { id } = place.value;
  return id === null ? <Jobs /> : <JobPage key={id} id={id} />;
}
