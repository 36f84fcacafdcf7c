/** What is known at the end past the product: the ledger and logs in Redis, runs in Temporal, the provider's bill. */
import type { Client } from '@temporalio/client';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { callsOf } from '../matrix/checks/check-bill.ts';
import { withServices } from '../matrix/evidence.ts';
import { eventsIn, type Redis } from '../matrix/logs.ts';
import type { Stage } from '../matrix/stage.ts';
import type { BookedEntry, LogFacts } from './checks/check-bills.ts';

interface ScheduleRuns {
  /** The time in the id of each run of a tick, ms since 1970. */
  readonly runs: readonly number[];
  /** Generations that have a run. */
  readonly started: readonly string[];
}

export interface Evidence {
  readonly ledger: readonly BookedEntry[];
  readonly logs: ReadonlyMap<string, LogFacts>;
  /** Of each schedule, by its id. */
  readonly schedules: ReadonlyMap<string, ScheduleRuns>;
}

interface NamedSchedule {
  readonly id: string;
  readonly user: string;
}

/** The runs of each schedule, by its id. */
export async function scheduleRuns(
  stage: Stage,
  schedules: readonly NamedSchedule[],
): Promise<ReadonlyMap<string, ScheduleRuns>> {
  return await withServices(stage, (_, workflow) => runsOfAll(workflow, stage, schedules));
}

export async function gather(
  stage: Stage,
  tenants: readonly string[],
  schedules: readonly NamedSchedule[],
): Promise<Evidence> {
  return await withServices(stage, async (redis, workflow) => {
    const ledger: BookedEntry[] = [];
    for (const tenant of tenants) ledger.push(...(await entriesOf(redis, tenant)));
    const logs = new Map<string, LogFacts>();
    for (const generation of new Set(ledger.map((entry) => entry.generation)))
      logs.set(generation, factsOf(await eventsIn(redis, generation)));
    return { ledger, logs, schedules: await runsOfAll(workflow, stage, schedules) };
  });
}

async function entriesOf(redis: Redis, tenant: string): Promise<BookedEntry[]> {
  const entries: BookedEntry[] = [];
  for (const key of await redis.keys(`ub:budget:{${tenant}}:entries:*`)) {
    for (const { message } of (await redis.xRange(key, '-', '+')) ?? []) {
      entries.push({
        tenant,
        user: message['user'] ?? '',
        generation: message['generation'] ?? '',
        spentTokens: Number(message['spentTokens']),
        spentMicroUsd: Number(message['spentMicroUsd']),
        isEstimated: message['estimated'] === '1',
      });
    }
  }
  return entries;
}

const PARTS = [
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
] as const;

function factsOf(log: readonly GenerationEvent[]): LogFacts {
  const last = log.at(-1);
  const usage = last !== undefined && 'attempts' in last ? last.usage : null;
  return {
    calls: callsOf(log).length,
    isEstimated: log.some((event) => 'usage' in event && event.usage.estimated),
    usedTokens: usage === null ? null : tokensOf(usage),
  };
}

export function tokensOf(usage: Readonly<Record<(typeof PARTS)[number], number>>): number {
  return PARTS.reduce((sum, part) => sum + usage[part], 0);
}

/** Temporal names the run of a tick after its schedule and its time. */
const TICK = /-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/;

async function runsOfAll(
  workflow: Client['workflow'],
  stage: Stage,
  schedules: readonly NamedSchedule[],
): Promise<ReadonlyMap<string, ScheduleRuns>> {
  const runs = new Map<string, ScheduleRuns>();
  for (const schedule of schedules) runs.set(schedule.id, await runsOf(workflow, stage, schedule));
  return runs;
}

async function runsOf(
  workflow: Client['workflow'],
  { direct }: Stage,
  { id, user }: NamedSchedule,
): Promise<ScheduleRuns> {
  const runs: number[] = [];
  const started: string[] = [];
  const query = `TaskQueue = '${direct.taskQueue}' AND UnbrokenUser = '${user}'`;
  for await (const { workflowId, type } of workflow.list({ query })) {
    const [, time] = TICK.exec(workflowId) ?? [];
    if (type === 'scheduledRun' && workflowId.includes(id)) runs.push(Date.parse(time ?? ''));
    if (type === 'generation') started.push(workflowId.slice(workflowId.indexOf('/') + 1));
  }
  return { runs, started };
}
