/**
 * Schedules, as Temporal keeps them: an id that names its tenant, the times, and the workflow of a tick. What a tick
 * starts is in Redis, because it holds texts.
 */
import {
  ScheduleAlreadyRunning,
  ScheduleClient,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { UnbrokenError } from '../../contracts/errors.ts';
import { TICK_TYPE, workflowId } from '../../contracts/names.ts';
import type { Backfill, ScheduleRequest, ScheduleView } from '../../contracts/schedules.ts';
import { HOUR_MS } from '../../contracts/time.ts';
import { runIdOf, type StoredSchedule } from '../../engine/jobs/schedule-store.ts';
import { replaceTemporalCall } from '../../platform/replace-temporal-call.ts';
import { SEARCH_KEYS } from '../../platform/temporal/search-keys.ts';
import type { Caller } from '../access/api-keys.ts';
import { userFor } from '../access/authenticate.ts';
import { mayRead } from '../access/may-read.ts';
import { findInput } from '../batches/batch-spec.ts';
import { keepInput, releaseInput } from '../batches/scheduled-input.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { askTemporal } from '../generations/ask-temporal.ts';
import { composeInput } from '../generations/compose-input.ts';
import { generationIdFor, hashRequest } from '../generations/generation-id.ts';
import { sealWebhook } from '../generations/seal-webhook.ts';
import { inputOf, planJob } from './plan-job.ts';

type ScheduleDependencies = Pick<
  ApiDependencies,
  | 'config'
  | 'files'
  | 'pipelines'
  | 'promptStats'
  | 'prompts'
  | 'routes'
  | 'schedules'
  | 'stored'
  | 'temporal'
  | 'webhookEndpoints'
>;

const CATCH_UP_MS = HOUR_MS;

const OVERLAPS = {
  skip: ScheduleOverlapPolicy.SKIP,
  'buffer-one': ScheduleOverlapPolicy.BUFFER_ONE,
  'buffer-all': ScheduleOverlapPolicy.BUFFER_ALL,
  'cancel-other': ScheduleOverlapPolicy.CANCEL_OTHER,
  'allow-all': ScheduleOverlapPolicy.ALLOW_ALL,
} as const;

const ID = /^sched_[0-9a-f]{32}$/;

/** @throws invalid_request, and what submitting its generation, job or batch would throw. */
export async function createSchedule(
  dependencies: ScheduleDependencies,
  caller: Caller,
  request: ScheduleRequest,
  idempotencyKey: string | undefined,
): Promise<StoredSchedule> {
  const { tenant, team, keyId, scopes } = caller;
  const scheduleId = generationIdFor(caller, idempotencyKey).replace(/^gen_/, 'sched_');
  const user = userFor(caller, request.generation?.user ?? request.job?.user);
  await checkWhatRuns(dependencies, { ...caller, user }, request);
  const webhook = request.generation?.webhook ?? request.job?.webhook ?? request.batch?.webhook;
  const sealed = webhook == null ? {} : { webhook: await sealWebhook(dependencies, tenant, webhook) };
  const stored = withoutWebhook(request);
  const schedule = await addCounted(dependencies, {
    scheduleId,
    owner: { tenant, user, team, keyId, scopes },
    request: stored,
    ...sealed,
    requestHash: hashRequest(request),
    createdAt: Date.now(),
  });
  if (schedule.requestHash !== hashRequest(request)) {
    throw new UnbrokenError('idempotency_conflict', 'This Idempotency-Key was used for another schedule.');
  }
  const fileId = request.batch?.input_file_id;
  if (fileId !== undefined) await keepInput(dependencies, await findInput(dependencies, caller, fileId));
  try {
    const options = optionsOf(dependencies.config, schedule);
    // Temporal checks what we cannot, such as a cron line; its client throws a TypeError for a bad specification.
    const answers = [ScheduleAlreadyRunning, TypeError];
    await askTemporal(dependencies, answers, (client) => client.schedule.create(options));
  } catch (error) {
    // An earlier request with this key has created it.
    if (error instanceof ScheduleAlreadyRunning) return schedule;
    // Temporal may have created it, although its answer was lost: its ticks, and a repeat of this request, need this.
    if (!(error instanceof TypeError)) throw error;
    await forget(dependencies, schedule);
    throw new UnbrokenError('invalid_request', `times: ${error.message}.`);
  }
  await refuseIfNever(dependencies, schedule);
  return schedule;
}

/** @returns what is stored under its id, which counts once. @throws storage_exceeded, invalid_request */
async function addCounted(
  { schedules, stored }: Pick<ApiDependencies, 'schedules' | 'stored'>,
  schedule: StoredSchedule,
): Promise<StoredSchedule> {
  const { tenant } = schedule.owner;
  const bytes = bytesOf(schedule.request);
  await stored.takePrompt(tenant, bytes);
  let isKept = false;
  try {
    const added = await schedules.add(schedule);
    isKept = added.isNew;
    return added.schedule;
  } finally {
    if (!isKept) await stored.dropPrompt(tenant, bytes);
  }
}

/** Without a tick, such as on February 30, it would look like any other, and start nothing. @throws invalid_request */
async function refuseIfNever(dependencies: ScheduleDependencies, schedule: StoredSchedule): Promise<void> {
  const info = await onSchedule(
    dependencies,
    schedule,
    async (handle) => (await handle.describe()).info,
  ).catch((error: unknown) => {
    // Another request has deleted it meanwhile.
    if (!(error instanceof UnbrokenError) || error.code !== 'not_found') throw error;
    return null;
  });
  // One that has begun already had a tick.
  if (info === null || info.nextActionTimes.length > 0 || info.numActionsTaken > 0) return;
  await deleteSchedule(dependencies, schedule);
  const message = 'times: no tick will ever come: there is no such day, or it is past.';
  throw new UnbrokenError('invalid_request', message, { details: { param: 'times' } });
}

function withoutWebhook({ generation, job, batch, ...request }: ScheduleRequest): ScheduleRequest {
  return {
    ...request,
    ...(generation === undefined ? {} : { generation: { ...generation, webhook: undefined } }),
    ...(job === undefined ? {} : { job: { ...job, webhook: undefined } }),
    ...(batch === undefined ? {} : { batch: { ...batch, webhook: undefined } }),
  };
}

/** Whether it could start now: models, prompts, variables, inputs, files. */
async function checkWhatRuns(
  dependencies: ScheduleDependencies,
  caller: Caller,
  { generation, job, batch }: ScheduleRequest,
): Promise<void> {
  const { tenant, user } = caller;
  if (batch !== undefined) {
    await findInput(dependencies, caller, batch.input_file_id);
    return;
  }
  if (job !== undefined) {
    const { definition } = await planJob(dependencies, { tenant, user }, job);
    inputOf(definition, job.input);
    return;
  }
  if (generation === undefined) return;
  const generationId = generationIdFor(caller, undefined);
  const composition = { tenant, user, generationId, route: generation.route ?? 'default' };
  const input = await composeInput(dependencies, composition, generation);
  dependencies.routes.choose(generation, input, { tenant, seed: generationId });
}

function optionsOf({ temporal }: ApiDependencies['config'], schedule: StoredSchedule): ScheduleOptions {
  const { scheduleId, owner, request } = schedule;
  const {
    times,
    overlap,
    catchUpMs = CATCH_UP_MS,
    pauseOnFailure = false,
    maxRuns,
    isPaused = false,
  } = request;
  const { tenant, user } = owner;
  const attributes = new TypedSearchAttributes([
    { key: SEARCH_KEYS.tenant, value: tenant },
    { key: SEARCH_KEYS.user, value: user },
    { key: SEARCH_KEYS.status, value: 'running' },
  ]);
  return {
    scheduleId: workflowId(tenant, scheduleId),
    spec: {
      ...(times.cron === undefined ? {} : { cronExpressions: times.cron }),
      ...(times.everyMs === undefined
        ? {}
        : { intervals: [{ every: times.everyMs, offset: times.offsetMs ?? 0 }] }),
      ...(times.timeZone === undefined ? {} : { timezone: times.timeZone }),
      ...(times.jitterMs === undefined ? {} : { jitter: times.jitterMs }),
      ...(times.from === undefined ? {} : { startAt: new Date(times.from) }),
      ...(times.until === undefined ? {} : { endAt: new Date(times.until) }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: TICK_TYPE,
      workflowId: workflowId(tenant, scheduleId),
      taskQueue: temporal.taskQueue,
      args: [{ tenant, scheduleId }],
      staticSummary: `${user}: a ${kindOf(request)} of a schedule`,
      typedSearchAttributes: attributes,
    },
    policies: { overlap: OVERLAPS[overlap], catchupWindow: catchUpMs, pauseOnFailure },
    state: { paused: isPaused, ...(maxRuns === undefined ? {} : { remainingActions: maxRuns }) },
    typedSearchAttributes: attributes,
  };
}

/** One that the caller may see. @throws not_found */
export async function findSchedule(
  { schedules }: Pick<ApiDependencies, 'schedules'>,
  caller: Caller,
  scheduleId: string,
): Promise<StoredSchedule> {
  const isSought = ID.test(scheduleId) && caller.onlyGeneration === undefined;
  const found = isSought ? await schedules.find(scheduleId) : null;
  if (found !== null && mayRead(caller, found.owner)) return found;
  throw new UnbrokenError('not_found', `There is no schedule ${scheduleId}.`);
}

export async function scheduleView(
  dependencies: ScheduleDependencies,
  schedule: StoredSchedule,
): Promise<ScheduleView> {
  const { scheduleId, owner, request, createdAt } = schedule;
  const described = await onSchedule(dependencies, schedule, (handle) => handle.describe());
  const kind = kindOf(request);
  return {
    id: scheduleId,
    description: request.description ?? null,
    user: owner.user,
    kind,
    times: request.times,
    overlap: request.overlap,
    isPaused: described.state.paused,
    note: described.state.note ?? null,
    createdAt,
    nextAt: described.info.nextActionTimes.map((time) => time.getTime()),
    runs: runsOf(described, kind),
  };
}

/** A tenant may have many, and those that Temporal is asked about at once share the time in which it must answer. */
const DESCRIBED_AT_ONCE = 32;

export async function scheduleViews(
  dependencies: ScheduleDependencies,
  schedules: readonly StoredSchedule[],
): Promise<readonly ScheduleView[]> {
  const views: ScheduleView[] = [];
  for (let first = 0; first < schedules.length; first += DESCRIBED_AT_ONCE) {
    const some = schedules.slice(first, first + DESCRIBED_AT_ONCE);
    const found = await Promise.all(some.map((schedule) => viewIfThere(dependencies, schedule)));
    views.push(...found.filter((view) => view !== null));
  }
  return views;
}

/** null if Temporal does not have it: it may be about to be created, or to be deleted. */
async function viewIfThere(
  dependencies: ScheduleDependencies,
  schedule: StoredSchedule,
): Promise<ScheduleView | null> {
  try {
    return await scheduleView(dependencies, schedule);
  } catch (error) {
    if (error instanceof UnbrokenError && error.code === 'not_found') return null;
    throw error;
  }
}

function kindOf({ job, batch }: ScheduleRequest): ScheduleView['kind'] {
  if (batch !== undefined) return 'batch';
  return job === undefined ? 'generation' : 'job';
}

function runsOf({ info }: ScheduleDescription, kind: ScheduleView['kind']): ScheduleView['runs'] {
  return info.recentActions
    .map(({ scheduledAt, action }) => {
      return { scheduledAt: scheduledAt.getTime(), id: runIdOf(kind, action.workflow.workflowId) };
    })
    .reverse();
}

/**
 * Calls Temporal about a schedule. @throws not_found, service_unavailable
 * @param requestId with which a call that is repeated changes nothing more
 */
export async function onSchedule<Result>(
  dependencies: Pick<ApiDependencies, 'config' | 'temporal'>,
  { owner, scheduleId }: StoredSchedule,
  act: (handle: ScheduleHandle) => Promise<Result>,
  requestId?: string,
): Promise<Result> {
  try {
    return await askTemporal(dependencies, [ScheduleNotFoundError, TypeError], ({ schedule }) => {
      const schedules = requestId === undefined ? schedule : withRequestId(schedule, requestId);
      return act(schedules.getHandle(workflowId(owner.tenant, scheduleId)));
    });
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new UnbrokenError('not_found', 'Temporal has no such schedule any more.');
  }
}

/** Starts what a tick would, now. @param key with which a request that is sent again starts nothing more */
export function trigger(
  dependencies: Pick<ApiDependencies, 'config' | 'temporal'>,
  schedule: StoredSchedule,
  key?: string,
): Promise<void> {
  return onSchedule(dependencies, schedule, (handle) => handle.trigger(), requestIdOf('trigger', key));
}

/** Starts the ticks of a time that is past. @param key the same, for the same times */
export function backfill(
  dependencies: Pick<ApiDependencies, 'config' | 'temporal'>,
  schedule: StoredSchedule,
  body: Backfill,
  key?: string,
): Promise<void> {
  const { from, until, overlap } = body;
  const span = { start: new Date(from), end: new Date(until), overlap: OVERLAPS[overlap] };
  return onSchedule(dependencies, schedule, (handle) => handle.backfill(span), requestIdOf(body, key));
}

function requestIdOf(request: unknown, key: string | undefined): string | undefined {
  return key === undefined ? undefined : hashRequest([key, request]);
}

/** Temporal takes each request id once, and its client makes a new one for each call. */
function withRequestId(schedules: ScheduleClient, requestId: string): ScheduleClient {
  return new ScheduleClient({
    ...schedules.options,
    connection: replaceTemporalCall(schedules.connection, 'patchSchedule', (request, send) =>
      send({ ...request, requestId }),
    ),
  });
}

/** Ends it; what it has started continues. */
export async function deleteSchedule(
  dependencies: Forgetting & Pick<ApiDependencies, 'temporal'>,
  schedule: StoredSchedule,
): Promise<void> {
  try {
    await onSchedule(dependencies, schedule, (handle) => handle.delete());
  } catch (error) {
    // An earlier request has deleted it, and ended before this.
    if (!(error instanceof UnbrokenError && error.code === 'not_found')) throw error;
  }
  await forget(dependencies, schedule);
}

type Forgetting = Pick<ApiDependencies, 'config' | 'files' | 'schedules' | 'stored'>;

async function forget(dependencies: Forgetting, schedule: StoredSchedule): Promise<void> {
  const { schedules, stored } = dependencies;
  const isRemoved = await schedules.remove(schedule);
  await releaseInput(dependencies, schedule);
  // Of several requests at once, one removes it.
  if (isRemoved) await stored.dropPrompt(schedule.owner.tenant, bytesOf(schedule.request));
}

function bytesOf(request: ScheduleRequest): number {
  return Buffer.byteLength(JSON.stringify(request));
}
