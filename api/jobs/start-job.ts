/**
 * Creates a job and starts its run. Both are identified by the same id, so both can be repeated: a request that is sent
 * again with its key joins the job that it started.
 */
import { randomUUID } from 'node:crypto';
import { TypedSearchAttributes } from '@temporalio/common';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { JobOrder, JobProgress } from '../../contracts/job-steps.ts';
import type { JobEventBody, JobRequest } from '../../contracts/jobs.ts';
import { DEFAULTS } from '../../contracts/limits.ts';
import { JOB_TYPE, workflowId } from '../../contracts/names.ts';
import type { PipelineContent } from '../../contracts/pipelines.ts';
import { NOTHING_USED } from '../../contracts/share.ts';
import { checkPipeline } from '../../engine/jobs/check-pipeline.ts';
import type { JobCreation, JobSpec } from '../../engine/jobs/job-store.ts';
import { fairnessKey } from '../../platform/temporal/run-options.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { Caller } from '../access/api-keys.ts';
import { userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { startOnce } from '../generations/ask-temporal.ts';
import { generationIdFor, hashRequest } from '../generations/generation-id.ts';
import { sealWebhook } from '../generations/seal-webhook.ts';
import { inputOf, type PlanDependencies, type PlannedJob, planJob, plannedSteps } from './plan-job.ts';

export type JobStartDependencies = PlanDependencies &
  Pick<ApiDependencies, 'config' | 'jobs' | 'stored' | 'temporal' | 'webhookEndpoints'>;

interface JobToStart {
  readonly jobId: string;
  /** Whether the caller can send the request again and join the job. */
  readonly isRepeatable: boolean;
  readonly requestHash: string;
  readonly user: string;
  readonly planned: PlannedJob;
  readonly input: Readonly<Record<string, unknown>>;
  readonly request: Pick<JobRequest, 'deadlineMs' | 'maxCostMicroUsd' | 'metadata' | 'priority' | 'webhook'>;
  /** Of the earlier job that this one repeats, or of its schedule; used where the request has none. */
  readonly webhook?: JobSpec['webhook'];
  /** What an earlier job did. */
  readonly reused?: ReusedSteps;
}

export interface ReusedSteps {
  readonly rerunOf: { readonly jobId: string; readonly from: string };
  readonly events: readonly JobEventBody[];
  readonly values: ReadonlyMap<string, string>;
}

export function jobIdFor(caller: Caller, idempotencyKey: string | undefined): string {
  return generationIdFor(caller, idempotencyKey).replace(/^gen_/, 'job_');
}

/** @returns the id of the job. */
export async function submitJob(
  dependencies: JobStartDependencies,
  caller: Caller,
  request: JobRequest,
  idempotencyKey: string | undefined,
): Promise<string> {
  const user = userFor(caller, request.user);
  const jobId = jobIdFor(caller, idempotencyKey);
  const requestHash = hashRequest(request);
  const isRepeatable = idempotencyKey !== undefined;
  if (isRepeatable && (await dependencies.jobs.head(jobId)) !== null) {
    // The pipeline's label may have moved since: the job that exists counts.
    return joinJob(dependencies, caller, jobId, requestHash);
  }
  const planned = await planJob(dependencies, { tenant: caller.tenant, user }, request);
  const input = inputOf(planned.definition, request.input);
  await startJob(dependencies, caller, { jobId, isRepeatable, requestHash, user, planned, input, request });
  return jobId;
}

async function joinJob(
  dependencies: JobStartDependencies,
  caller: Caller,
  jobId: string,
  requestHash: string,
): Promise<string> {
  const { jobs } = dependencies;
  assertSame(await jobs.requestHash(jobId), requestHash);
  const [head, spec] = await Promise.all([jobs.head(jobId), jobs.spec(jobId)]);
  if (head?.status === 'running') {
    await startRun(dependencies, await knownOrder(dependencies, caller, jobId), spec.priority ?? undefined);
  }
  return jobId;
}

type OrderDependencies = PlanDependencies &
  Pick<ApiDependencies, 'config' | 'jobs' | 'stored' | 'webhookEndpoints'>;

/**
 * Creates a job that a workflow starts as its child. A repeated call with the same id changes nothing.
 * @throws as `submitJob` does
 */
export async function orderJob(
  dependencies: OrderDependencies,
  owner: Caller,
  { jobId, request, webhook }: Pick<JobToStart, 'jobId' | 'webhook'> & { readonly request: JobRequest },
): Promise<JobOrder> {
  // The id stands for the request.
  const requestHash = hashRequest(jobId);
  if ((await dependencies.jobs.head(jobId)) !== null) return knownOrder(dependencies, owner, jobId);
  const user = userFor(owner, request.user);
  const planned = await planJob(dependencies, { tenant: owner.tenant, user }, request);
  const input = inputOf(planned.definition, request.input);
  return createJob(dependencies, owner, {
    jobId,
    isRepeatable: true,
    requestHash,
    user,
    planned,
    input,
    request,
    ...(webhook === undefined ? {} : { webhook }),
  });
}

/** @throws storage_exceeded, idempotency_conflict, service_unavailable */
export async function startJob(
  dependencies: JobStartDependencies,
  caller: Caller,
  job: JobToStart,
): Promise<void> {
  if (caller.onlyReads === true) {
    throw new UnbrokenError('forbidden', 'A ticket opens streams; starting a job takes a key.');
  }
  const order = await createJob(dependencies, caller, job);
  try {
    await startRun(dependencies, order, job.request.priority);
  } catch (error) {
    // Without a key no request can start it later, and with this one none will.
    const isOver =
      error instanceof UnbrokenError && (!job.isRepeatable || error.code === 'idempotency_conflict');
    if (isOver) await abandon(dependencies.jobs, job.jobId, error);
    throw error;
  }
}

async function createJob(
  dependencies: OrderDependencies,
  caller: Caller,
  { jobId, requestHash, user, planned, input, request, reused, webhook: inherited }: JobToStart,
): Promise<JobOrder> {
  const { jobs, stored, config } = dependencies;
  const { definition, pipeline, checked } = planned;
  const { tenant, team, keyId, scopes } = caller;
  const deadlineMs = request.deadlineMs ?? definition.deadlineMs ?? DEFAULTS.jobMs;
  const deadlineAtMs = Date.now() + deadlineMs;
  const maxCostMicroUsd = request.maxCostMicroUsd ?? definition.maxCostMicroUsd ?? null;
  const webhook =
    request.webhook === undefined ? inherited : await sealWebhook(dependencies, tenant, request.webhook);
  const spec: JobSpec = {
    owner: { tenant, user, team, keyId, scopes },
    definition,
    input,
    priority: request.priority ?? null,
    ...(webhook === undefined ? {} : { webhook }),
  };
  const start: JobEventBody = {
    type: 'job-start',
    jobId,
    user,
    pipeline,
    steps: checked.steps.map(({ name }) => name),
    needs: Object.fromEntries(checked.steps.map(({ name, needs }) => [name, [...needs]])),
    ...(reused === undefined ? {} : { rerunOf: reused.rerunOf }),
  };
  const creation: JobCreation = {
    jobId,
    tenant,
    user,
    pipeline,
    requestHash,
    deadlineAtMs,
    maxCostMicroUsd,
    metadata: request.metadata ?? {},
    spec,
    events: [start, ...(reused?.events ?? [])],
    values: reused?.values ?? new Map(),
  };
  const kept = [JSON.stringify(spec), ...creation.values.values()];
  const bytes = kept.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const counted = await stored.takeInput(tenant, bytes, deadlineMs + config.retention.jobMs);
  const created = await jobs.create(creation);
  if (!created.created) await stored.dropInput(tenant, counted);
  assertSame(created.requestHash, requestHash);
  return orderOf({ jobId, tenant, user, deadlineAtMs, maxCostMicroUsd }, definition, creation.events);
}

type JobFacts = Pick<JobOrder, 'jobId' | 'tenant' | 'user' | 'deadlineAtMs' | 'maxCostMicroUsd'>;

function orderOf(
  { jobId, tenant, user, deadlineAtMs, maxCostMicroUsd }: JobFacts,
  definition: PipelineContent,
  events: readonly JobEventBody[],
): JobOrder {
  const done = doneBy(events);
  return {
    jobId,
    tenant,
    user,
    deadlineAtMs,
    maxCostMicroUsd,
    steps: plannedSteps(checkPipeline(definition)),
    maxParallel: definition.maxParallel ?? DEFAULTS.parallelPerJob,
    ...(done === undefined ? {} : { done }),
  };
}

/** The order of a job that exists, from what is stored of it. */
async function knownOrder(
  { jobs }: Pick<ApiDependencies, 'jobs'>,
  { tenant }: Caller,
  jobId: string,
): Promise<JobOrder> {
  const [head, spec, events] = await Promise.all([
    jobs.head(jobId),
    jobs.spec(jobId),
    jobs.read(jobId, -1, 1),
  ]);
  if (head === null || head.tenant !== tenant)
    throw new UnbrokenError('not_found', `There is no job ${jobId}.`);
  return orderOf(head, spec.definition, events);
}

/** A run that was started after all finds that it has ended. */
async function abandon(jobs: ApiDependencies['jobs'], jobId: string, error: UnbrokenError): Promise<void> {
  await jobs.append(jobId, `end:${randomUUID()}`, [
    { type: 'job-error', error: error.toBody(), ...NOTHING_USED },
  ]);
}

function assertSame(known: string | null, expected: string): void {
  if (known !== expected) {
    throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another request.');
  }
}

/** What the first events of a job say is over: the steps that an earlier job did. */
function doneBy(events: readonly JobEventBody[]): JobProgress | undefined {
  const names = events.flatMap((event) =>
    event.type === 'step-reuse' || event.type === 'step-skip' ? [event.step] : [],
  );
  if (names.length === 0) return undefined;
  const over = {
    state: 'over',
    next: 0,
    items: 0,
    failed: 0,
    spentMicroUsd: 0,
    deadlineAtMs: 0,
    timeoutAtMs: null,
  };
  const steps = names.map((name) => ({ name, ...over }) as const);
  return { steps: steps as JobProgress['steps'], isPaused: false, generations: 0, decisions: [] };
}

async function startRun(
  dependencies: Pick<ApiDependencies, 'jobs' | 'temporal' | 'config'>,
  order: JobOrder,
  priority: number | undefined,
): Promise<void> {
  const { tenant, user, jobId } = order;
  await startOnce(dependencies, JOB_TYPE, {
    createdAtMs: async () => (await dependencies.jobs.head(jobId))?.createdAt,
    workflowId: workflowId(tenant, jobId),
    args: [order],
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: `${user}: ${order.steps.length} steps`,
    // Its generations inherit this.
    priority: {
      ...(priority === undefined ? {} : { priorityKey: priority }),
      fairnessKey: fairnessKey({ tenant, user }),
    },
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_KEYS.tenant, value: tenant },
      { key: SEARCH_KEYS.user, value: user },
      { key: SEARCH_KEYS.status, value: 'running' },
    ]),
  });
}
