/** The part of the client that runs pipelines. Every call may be repeated. */
import type {
  JobComparison,
  JobEstimate,
  JobRequest,
  JobStepDetail,
  JobView,
  RerunRequest,
} from '../../contracts/jobs.ts';
import type { PipelineContent, PipelineVersionView, PipelineView } from '../../contracts/pipelines.ts';
import {
  type FollowedJobEvent,
  type FollowJobOptions,
  followJob,
  type JobStreamOptions,
} from './follow-job.ts';

/** A pipeline as it is written; the API fills in the defaults of the schema. */
export type NewPipeline = Omit<PipelineContent, 'input'> & {
  readonly input?: Readonly<Record<string, Partial<PipelineContent['input'][string]>>>;
};

/** What a job is started from. */
export type NewJob = Omit<JobRequest, 'definition' | 'input'> & {
  readonly definition?: NewPipeline | undefined;
  readonly input?: Readonly<Record<string, unknown>> | undefined;
};

interface KeyOptions {
  /** Your key: a call with the same key joins the job that it started. Default: a random one per call. */
  readonly idempotencyKey?: string | undefined;
}

export interface JobsClient {
  run(job: NewJob, options?: KeyOptions): Promise<JobView>;
  /** What it can cost at most. Nothing is started. */
  estimate(job: NewJob): Promise<JobEstimate>;
  get(jobId: string): Promise<JobView>;
  step(jobId: string, step: string): Promise<JobStepDetail>;
  list(options?: { readonly limit?: number | undefined }): Promise<JobView[]>;
  /** Its events and those of its generations, each exactly once, through any disconnect. */
  follow(jobId: string, options?: FollowJobOptions): AsyncIterable<FollowedJobEvent>;
  cancel(jobId: string): Promise<JobView>;
  pause(jobId: string): Promise<JobView>;
  resume(jobId: string): Promise<JobView>;
  approve(jobId: string, step: string, options?: { readonly note?: string | undefined }): Promise<JobView>;
  reject(jobId: string, step: string, options?: { readonly note?: string | undefined }): Promise<JobView>;
  /** Another job that repeats this one from a step. */
  rerun(jobId: string, request: RerunRequest, options?: KeyOptions): Promise<JobView>;
  compare(jobId: string, otherId: string): Promise<JobComparison>;
}

export interface PipelinesClient {
  list(): Promise<PipelineView[]>;
  get(name: string): Promise<PipelineView>;
  version(name: string, version: number): Promise<PipelineVersionView>;
  /** Content that exists already keeps its version. */
  add(pipeline: NewPipeline & { readonly name: string }): Promise<PipelineVersionView>;
  setLabel(name: string, label: string, version: number): Promise<PipelineView>;
  removeLabel(name: string, label: string): Promise<PipelineView>;
}

type SendCall = <Answer>(request: {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}) => Promise<Answer>;

function pathOf(root: string, parts: readonly (string | number)[]): string {
  return [root, ...parts.map((part) => encodeURIComponent(part))].join('/');
}

export function createJobsClient(
  call: SendCall,
  { randomKey, ...stream }: JobStreamOptions & { readonly randomKey: () => string },
): JobsClient {
  const path = (...parts: readonly string[]) => pathOf('/v1/jobs', parts);
  const post = <Answer>(to: string, body: unknown = {}) => call<Answer>({ method: 'POST', path: to, body });
  const withKey = ({ idempotencyKey = randomKey() }: KeyOptions = {}) => ({
    'idempotency-key': idempotencyKey,
  });
  return {
    run: (body, options) => call({ method: 'POST', path: '/v1/jobs', body, headers: withKey(options) }),
    estimate: (body) => post('/v1/jobs/estimate', body),
    get: (jobId) => call({ method: 'GET', path: path(jobId) }),
    step: (jobId, step) => call({ method: 'GET', path: path(jobId, 'steps', step) }),
    list: async ({ limit = 20 } = {}) =>
      (await call<{ data: JobView[] }>({ method: 'GET', path: `/v1/jobs?limit=${limit}` })).data,
    follow: (jobId, options = {}) => followJob({ ...stream, ...options, jobId }),
    cancel: (jobId) => post(path(jobId, 'cancel')),
    pause: (jobId) => post(path(jobId, 'pause')),
    resume: (jobId) => post(path(jobId, 'resume')),
    approve: (jobId, step, body = {}) => post(path(jobId, 'steps', step, 'approve'), body),
    reject: (jobId, step, body = {}) => post(path(jobId, 'steps', step, 'reject'), body),
    rerun: (jobId, body, options) =>
      call({ method: 'POST', path: path(jobId, 'rerun'), body, headers: withKey(options) }),
    compare: (jobId, otherId) => call({ method: 'GET', path: path(jobId, 'compare', otherId) }),
  };
}

export function createPipelinesClient(call: SendCall): PipelinesClient {
  const path = (...parts: readonly (string | number)[]) => pathOf('/v1/pipelines', parts);
  return {
    list: async () => (await call<{ data: PipelineView[] }>({ method: 'GET', path: path() })).data,
    get: (name) => call({ method: 'GET', path: path(name) }),
    version: (name, version) => call({ method: 'GET', path: path(name, 'versions', version) }),
    add: (body) => call({ method: 'POST', path: path(), body }),
    setLabel: (name, label, version) =>
      call({ method: 'PUT', path: path(name, 'labels', label), body: { version } }),
    removeLabel: (name, label) => call({ method: 'DELETE', path: path(name, 'labels', label) }),
  };
}
