/**
 * All that is known at the end, gathered past the product: logs and ledgers as they lie in Redis, runs as Temporal
 * tells them, the provider's bill from its own disk, and what readers wrote down.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { QdrantClient } from '@qdrant/js-client-rest';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { JournalLine } from '../../../tools/simulator/journal.ts';
import type { SimulatedTruth } from '../../harness/simulator.ts';
import type { Accepted } from './accepted.ts';
import { eventsIn, type Redis, remainsOf, withRedis } from './logs.ts';
import { type Reading, readNotebooks } from './notebook.ts';
import { TENANTS } from './plan.ts';
import type { Stage } from './stage.ts';

export interface LedgerEntry {
  readonly tenant: string;
  readonly generation: string;
  readonly kind: string;
  readonly attempt: number;
  readonly spentTokens: number;
  readonly isEstimated: boolean;
}

export interface GenerationEvidence {
  readonly accepted: Accepted;
  /** As the log holds them. */
  readonly log: readonly GenerationEvent[];
  readonly readings: readonly Reading[];
  /** As Temporal names it, such as COMPLETED. */
  readonly run: string;
  /** What the provider says when asked all of it. */
  readonly expected: SimulatedTruth;
  /** What Redis holds of it though it was deleted, as text. */
  readonly remains: string;
}

export interface Evidence {
  readonly generations: readonly GenerationEvidence[];
  readonly bill: readonly JournalLine[];
  readonly ledger: readonly LedgerEntry[];
  /** Runs of the task queue that are open still. */
  readonly openRuns: readonly string[];
  /** What the cache holds, one text for each stored answer. */
  readonly cached: readonly string[];
}

/** What there is of these generations. */
export async function gatherGenerations(
  stage: Stage,
  accepted: readonly Accepted[],
): Promise<GenerationEvidence[]> {
  const readings = new Map(
    stage.notebooks.flatMap(readNotebooks).map((reading) => [reading.reader, reading] as const),
  );
  return await withServices(stage, async (redis, workflow) => {
    const generations: GenerationEvidence[] = [];
    for (const generation of accepted) {
      const { plan, messages, id } = generation;
      const run = await workflow
        .getHandle(`${plan.tenant}/${id}`)
        .describe()
        .then(
          ({ status }) => status.name,
          (error: unknown) => (error instanceof WorkflowNotFoundError ? 'none' : `unknown (${error})`),
        );
      const { tools, output } = plan.body;
      generations.push({
        accepted: generation,
        log: generation.expiredLog ?? (await eventsIn(redis, id)),
        readings: generation.readers.flatMap((reader) => readings.get(reader) ?? []),
        run,
        expected: await stage.sim.truth({ messages, tools, output }),
        remains: generation.deletedAtMs === null ? '' : await remainsOf(redis, id),
      });
    }
    return generations;
  });
}

/** Whether the run of this generation is closed; false where Temporal does not say. */
export async function isClosed({ direct }: Stage, { plan, id }: Accepted): Promise<boolean> {
  const connection = await Connection.connect({ address: direct.TEMPORAL_ADDRESS }).catch(() => null);
  if (connection === null) return false;
  try {
    const run = new Client({ connection }).workflow.getHandle(`${plan.tenant}/${id}`);
    return (await run.describe()).status.name !== 'RUNNING';
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

export async function openRunsOf(stage: Stage): Promise<string[]> {
  return await withServices(stage, async (_, workflow) => {
    const openRuns: string[] = [];
    const query = `TaskQueue = '${stage.direct.taskQueue}' AND ExecutionStatus = 'Running'`;
    for await (const { workflowId } of workflow.list({ query })) openRuns.push(workflowId);
    return openRuns;
  });
}

const EVENTS_SHOWN = 15;

/** What Temporal knows of a run that is open when all should have ended: what it waits for, and how it came there. */
export async function storyOf(stage: Stage, runId: string): Promise<string[]> {
  return await withServices(stage, async (_, workflow) => {
    const run = workflow.getHandle(runId);
    const { raw } = await run.describe();
    const { events } = await run.fetchHistory();
    return [
      `task ${JSON.stringify(raw.pendingWorkflowTask)}`,
      ...(raw.pendingActivities ?? []).map((activity) => `activity ${JSON.stringify(activity)}`),
      ...(events ?? []).slice(-EVENTS_SHOWN).map((event) => `event ${JSON.stringify(event)}`),
    ].map((line) => line.slice(0, 600));
  });
}

export async function gather(stage: Stage, accepted: readonly Accepted[]): Promise<Evidence> {
  const ledger = await withServices(stage, async (redis) => {
    const entries: LedgerEntry[] = [];
    for (const tenant of TENANTS) {
      for (const key of await redis.keys(`ub:budget:{${tenant}}:entries:*`)) {
        for (const { message } of (await redis.xRange(key, '-', '+')) ?? [])
          entries.push(entryOf(tenant, message));
      }
    }
    return entries;
  });
  return {
    generations: await gatherGenerations(stage, accepted),
    bill: await readBill(stage.journalPath),
    ledger,
    openRuns: await openRunsOf(stage),
    cached: await cachedAnswers(stage.direct.QDRANT_URL),
  };
}

export async function withServices<Value>(
  { direct }: Stage,
  use: (redis: Redis, workflow: Client['workflow']) => Promise<Value>,
): Promise<Value> {
  const connection = await Connection.connect({ address: direct.TEMPORAL_ADDRESS });
  try {
    const { workflow } = new Client({ connection });
    return await withRedis(direct.REDIS_URL, (redis) => use(redis, workflow));
  } finally {
    await connection.close();
  }
}

const PAGE = 1_000;

/** All that the cache holds, one text for each stored answer. */
async function cachedAnswers(url: string): Promise<string[]> {
  const qdrant = new QdrantClient({ url, checkCompatibility: false });
  const found: string[] = [];
  for (const { name } of (await qdrant.getCollections()).collections) {
    let offset: string | number | undefined;
    do {
      const from = offset === undefined ? {} : { offset };
      const page = await qdrant.scroll(name, { limit: PAGE, with_payload: true, ...from });
      found.push(...page.points.map(({ payload }) => JSON.stringify(payload)));
      const next = page.next_page_offset;
      offset = typeof next === 'string' || typeof next === 'number' ? next : undefined;
    } while (offset !== undefined);
  }
  return found;
}

function entryOf(tenant: string, entry: Record<string, string>): LedgerEntry {
  return {
    tenant,
    generation: entry['generation'] ?? '',
    kind: entry['kind'] ?? '',
    attempt: Number(entry['attempt']),
    spentTokens: Number(entry['spentTokens']),
    isEstimated: entry['estimated'] === '1',
  };
}

/** The last line of each call; a line that a killed process had not finished does not count. */
export async function readBill(path: string): Promise<JournalLine[]> {
  const calls = new Map<string, JournalLine>();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (!line.endsWith('}')) continue;
    const call = JSON.parse(line) as JournalLine;
    calls.set(call.id, call);
  }
  return [...calls.values()];
}
