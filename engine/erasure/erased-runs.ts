/**
 * The runs of a user at Temporal: their arguments, summaries, search attributes and fairness keys name the user. A run
 * is cancelled and ends as any other, so that its budget is settled; then its history is deleted.
 */
import type { Client } from '@temporalio/client';
import {
  BATCH_TYPE,
  JOB_TYPE,
  SHARD_TYPE,
  TICK_TYPE,
  WEBHOOK_WORKFLOW_TYPE,
  WORKFLOW_TYPE,
  workflowId,
} from '../../contracts/names.ts';
import { callTemporal, deleteRun, type RunToDelete, retainedUntil } from './delete-run.ts';
import type { ErasureScope, Found, Left, StageProgress, StageResult } from './erasures.ts';

const DELETED_AT_ONCE = 16;
/** The workflow in which Temporal keeps a schedule. */
const SCHEDULER = 'temporal-sys-scheduler:';

/** Runs that are cancelled and awaited. Others, such as deliveries, end as their history is deleted. */
const AWAITED: readonly string[] = [WORKFLOW_TYPE, JOB_TYPE, TICK_TYPE, BATCH_TYPE, SHARD_TYPE];
/** Runs that start others, which may begin after the request and still belong to what came before it. */
const PARENTS: readonly string[] = [JOB_TYPE, TICK_TYPE, BATCH_TYPE];

interface Run extends RunToDelete {
  readonly type: string;
  readonly isRunning: boolean;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly parentId: string | null;
}

interface RunsParts {
  readonly temporal: Client;
  /** Stops a stream at once; it would learn of a cancelled run later. */
  readonly requestCancel: (generationId: string) => Promise<void>;
  /** Ends the log of a generation that has no run. @returns false while it must stay open */
  readonly endLog: (generationId: string) => Promise<boolean>;
}

export class ErasedRuns {
  readonly #parts: RunsParts;

  constructor(parts: RunsParts) {
    this.#parts = parts;
  }

  /** Cancels what runs. @returns how many runs have not ended yet */
  async stop(scope: ErasureScope, found: Found): Promise<number> {
    let running = 0;
    for await (const run of this.#list(`${ownedBy(scope)} AND ExecutionStatus = "Running"`)) {
      if (!AWAITED.includes(run.type) || !(await isInScope(run, scope, found))) continue;
      running += 1;
      // A shard ends with its batch.
      if (run.type !== SHARD_TYPE) await this.#cancel(run.workflowId, scope.tenant);
    }
    if (running === 0) await this.#noteLateChildren(scope, found);
    return running;
  }

  /** Generations and jobs that began after the request, for a job, batch or tick that was running then. */
  async #noteLateChildren(scope: ErasureScope, found: Found): Promise<void> {
    const before = new Date(scope.beforeMs).toISOString();
    const parents = new Set<string>();
    const types = PARENTS.map((type) => `"${type}"`).join(', ');
    const open = `WorkflowType IN (${types}) AND StartTime <= "${before}" AND CloseTime >= "${before}"`;
    for await (const { workflowId: id } of this.#list(`${ownedBy(scope)} AND ${open}`)) parents.add(id);
    if (parents.size === 0) return;
    const late = `WorkflowType IN ("${WORKFLOW_TYPE}", "${JOB_TYPE}") AND StartTime > "${before}"`;
    for await (const run of this.#list(`${ownedBy(scope)} AND ${late}`)) {
      const parent = run.parentId ?? '';
      // The parent of a line is a shard, whose id is that of its batch and a number.
      if (!parents.has(parent) && !parents.has(parent.replace(/\/\d+$/, ''))) continue;
      const id = run.workflowId.slice(scope.tenant.length + 1);
      await found.add(run.type === JOB_TYPE ? 'jobs' : 'generations', [id]);
    }
  }

  /** Ends a generation or a job that still runs. @returns true once it is over */
  async end({
    tenant,
    generationId,
  }: {
    readonly tenant: string;
    readonly generationId: string;
  }): Promise<boolean> {
    const id = workflowId(tenant, generationId);
    const isRunning = await callTemporal(this.#parts.temporal, async (client) => {
      const { status } = await client.workflow.getHandle(id).describe();
      return status.name === 'RUNNING';
    });
    if (isRunning !== true) return this.#parts.endLog(generationId);
    await this.#cancel(id, tenant);
    return false;
  }

  /** Deletes the histories. Temporal does so in the background, so what is still listed is pending. */
  async deleteHistories(
    scope: ErasureScope,
    found: Found,
    { report, signal }: StageProgress,
  ): Promise<StageResult & { readonly left: Left }> {
    let listed = 0;
    let left = 0;
    let lastEndMs = 0;
    let some: Run[] = [];
    const deleteSome = async () => {
      signal.throwIfAborted();
      await found.add('runs', some.map(nameOf));
      const outcomes = await Promise.all(some.map((run) => deleteRun(this.#parts.temporal, run)));
      const refused = some.filter((_, index) => outcomes[index] === 'refused');
      await found.remove('runs', refused.map(nameOf));
      left += refused.length;
      for (const { endedAtMs } of refused) lastEndMs = Math.max(lastEndMs, endedAtMs);
      some = [];
      report({ at: '', found: listed, pending: 0 });
    };
    for await (const run of this.#runsToDelete(scope, found)) {
      listed += 1;
      // It was not listed when the others were stopped. Deleted now, it would leave its budget unsettled.
      if (run.isRunning && AWAITED.includes(run.type)) {
        await this.#cancel(run.workflowId, scope.tenant);
        continue;
      }
      some.push(run);
      if (some.length === DELETED_AT_ONCE) await deleteSome();
    }
    if (some.length > 0) await deleteSome();
    const untilMs = left === 0 ? null : await retainedUntil(this.#parts.temporal, lastEndMs);
    return { found: listed, pending: listed - left, left: { count: left, untilMs } };
  }

  async *#runsToDelete(scope: ErasureScope, found: Found): AsyncGenerator<Run> {
    if (scope.jobId !== null) {
      const [generations, deliveries] = await Promise.all([
        found.all('generations'),
        found.all('webhookDeliveries'),
      ]);
      for (const id of [...deliveries, ...generations, scope.jobId]) {
        const run = await this.#find(workflowId(scope.tenant, id));
        if (run !== null) yield run;
      }
      return;
    }
    for await (const run of this.#list(ownedBy(scope))) {
      if (await isInScope(run, scope, found)) yield run;
    }
    for (const id of await found.all('schedules')) {
      const run = await this.#find(`${SCHEDULER}${workflowId(scope.tenant, id)}`);
      if (run !== null) yield run;
    }
  }

  async #find(id: string): Promise<Run | null> {
    return callTemporal(this.#parts.temporal, async (client) =>
      toRun(await client.workflow.getHandle(id).describe()),
    );
  }

  async #cancel(id: string, tenant: string): Promise<void> {
    const generationId = id.slice(tenant.length + 1);
    if (generationId.startsWith('gen_')) await this.#parts.requestCancel(generationId);
    await callTemporal(this.#parts.temporal, (client) => client.workflow.getHandle(id).cancel());
  }

  async *#list(query: string): AsyncGenerator<Run> {
    for await (const info of this.#parts.temporal.workflow.list({ query })) yield toRun(info);
  }
}

function nameOf({ workflowId: id, runId }: Run): string {
  return `${id} ${runId}`;
}

/** In Temporal's query language. No name of a tenant or user has a character that could end a quoted one. */
function ownedBy({ tenant, user }: ErasureScope): string {
  return `UnbrokenTenant = "${tenant}" AND UnbrokenUser = "${user}"`;
}

async function isInScope(run: Run, { tenant, beforeMs }: ErasureScope, found: Found): Promise<boolean> {
  if (run.startedAtMs <= beforeMs) return true;
  const id = run.workflowId.slice(tenant.length + 1);
  const parent = run.parentId?.slice(tenant.length + 1) ?? '';
  switch (run.type) {
    case WORKFLOW_TYPE:
      return (await found.has('generations', id)) || (await found.has('jobs', parent));
    case JOB_TYPE:
      return found.has('jobs', id);
    case SHARD_TYPE:
      return found.has('batches', parent);
    case TICK_TYPE:
      // A tick has the id of its schedule, and its time.
      return found.has('schedules', id.slice(0, 'sched_'.length + 32));
    case WEBHOOK_WORKFLOW_TYPE:
      return found.has('webhookDeliveries', id.split('/')[0] ?? '');
    default:
      return found.has('generations', parent);
  }
}

type RunInfo = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']>>;

function toRun(
  info: Pick<
    RunInfo,
    'workflowId' | 'runId' | 'type' | 'status' | 'startTime' | 'closeTime' | 'parentExecution'
  >,
): Run {
  return {
    workflowId: info.workflowId,
    runId: info.runId,
    type: info.type,
    isRunning: info.status.name === 'RUNNING',
    startedAtMs: info.startTime.getTime(),
    endedAtMs: info.closeTime?.getTime() ?? 0,
    parentId: info.parentExecution?.workflowId ?? null,
  };
}
