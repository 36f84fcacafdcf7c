/** The jobs that the caller may read, the newest first. */
import type { JobView } from '../../../../../contracts/jobs.ts';
import { formatCost, formatCount, formatDuration, shortId } from '../../format.ts';
import { linkTo } from '../../router.ts';
import { type FirstPage, usePages } from '../../use-pages.ts';
import { Empty, Failure, Loading, Time } from '../parts.tsx';
import { JobStatusBadge } from './job-status.tsx';

/** The API reads all events of each job that is listed; the page of a job is what is live. */
const PATH = '/v1/jobs?limit=20';
const OPEN_MS = 10_000;
const IDLE_MS = 30_000;

const everyMs = ({ page }: FirstPage<JobView>) =>
  page.data.some(({ endedAt }) => endedAt === null) ? OPEN_MS : IDLE_MS;

export function Jobs() {
  const { items: jobs, error, more, isLoading } = usePages<JobView>(PATH, everyMs);
  return (
    <section class="card wide" aria-labelledby="jobs-title">
      <h1 id="jobs-title">Jobs</h1>
      {error !== null && <Failure error={error} />}
      {jobs === null && error === null && <Loading what="jobs" />}
      {jobs?.length === 0 && (
        <Empty title="None yet.">
          Run a pipeline: <code>npx unbroken jobs run article.yaml --input brief="Night buses"</code>
        </Empty>
      )}
      {jobs !== null && jobs.length > 0 && <JobTable jobs={jobs} />}
      {more !== null && (
        <p>
          <button type="button" disabled={isLoading} onClick={more}>
            Show more
          </button>
        </p>
      )}
    </section>
  );
}

function JobTable({ jobs }: { jobs: readonly JobView[] }) {
  return (
    <table class="list">
      <caption class="visually-hidden">Jobs, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Job</th>
          <th scope="col">Status</th>
          <th scope="col">Pipeline</th>
          <th scope="col">Steps</th>
          <th scope="col">User</th>
          <th scope="col" class="number">
            Cost
          </th>
          <th scope="col">Started</th>
          <th scope="col" class="number">
            Duration
          </th>
        </tr>
      </thead>
      <tbody>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </tbody>
    </table>
  );
}

function JobRow({ job }: { job: JobView }) {
  const { id, status, pipeline, steps, createdAt, endedAt } = job;
  const over = steps.filter((step) => step.endedAt !== null).length;
  return (
    <tr>
      <th scope="row">
        <a href={linkTo('jobs', id)} title={id}>
          <code>{shortId(id)}</code>
        </a>
      </th>
      <td data-name="Status">
        <JobStatusBadge status={status} />
      </td>
      <td data-name="Pipeline">
        {pipeline === null ? <span class="muted">not stored</span> : `${pipeline.name}@${pipeline.version}`}
        {job.rerunOf !== null && <span class="tag plain">rerun</span>}
      </td>
      <td data-name="Steps">
        {formatCount(over)} of {formatCount(steps.length)}
      </td>
      <td data-name="User">{job.user}</td>
      <td data-name="Cost" class="number">
        {formatCost(job.costMicroUsd)}
      </td>
      <td data-name="Started">
        <Time at={createdAt} />
      </td>
      <td data-name="Duration" class="number">
        {endedAt === null ? '–' : formatDuration(endedAt - createdAt)}
      </td>
    </tr>
  );
}
