/**
 * All that is known at the end, gathered past the product: logs and ledgers as they lie in Redis, runs as Temporal
 * tells them, the provider's bill from its own disk, and what readers wrote down.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createClient } from 'redis';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { JournalLine } from '../../../providers/simulated/journal.ts';
import type { Accepted } from './load.ts';
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
  readonly expected: { readonly text: string; readonly tokens: number };
}

export interface Evidence {
  readonly generations: readonly GenerationEvidence[];
  readonly bill: readonly JournalLine[];
  readonly ledger: readonly LedgerEntry[];
  /** Runs of the task queue that are open still. */
  readonly openRuns: readonly string[];
}

export async function gather(stage: Stage, accepted: readonly Accepted[]): Promise<Evidence> {
  const redis = createClient({ url: stage.direct.REDIS_URL });
  redis.on('error', (error) => console.error(`evidence: ${error}`));
  await redis.connect();
  const connection = await Connection.connect({ address: stage.direct.TEMPORAL_ADDRESS });
  const { workflow } = new Client({ connection });
  try {
    const readings = Map.groupBy(
      stage.readers.flatMap((_, index) => readNotebooks(join(stage.readingsDir, String(index)))),
      ({ generationId }) => generationId,
    );
    const generations: GenerationEvidence[] = [];
    for (const one of accepted) {
      const entries = (await redis.xRange(`ub:log:{${one.id}}:events`, '-', '+')) ?? [];
      const run = await workflow
        .getHandle(`${one.plan.tenant}/${one.id}`)
        .describe()
        .then(
          ({ status }) => status.name,
          (error: unknown) => `none (${error})`,
        );
      generations.push({
        accepted: one,
        log: entries.flatMap(({ id, message }) => eventsOf(id, message)),
        readings: readings.get(one.id) ?? [],
        run,
        expected: await stage.sim.text(one.plan.input),
      });
    }
    const ledger: LedgerEntry[] = [];
    for (const tenant of TENANTS) {
      for (const key of await redis.keys(`ub:budget:{${tenant}}:entries:*`)) {
        for (const { message } of (await redis.xRange(key, '-', '+')) ?? [])
          ledger.push(entryOf(tenant, message));
      }
    }
    const openRuns: string[] = [];
    const query = `TaskQueue = '${stage.direct.taskQueue}' AND ExecutionStatus = 'Running'`;
    for await (const { workflowId } of workflow.list({ query })) openRuns.push(workflowId);
    return { generations, bill: readBill(stage.journalPath), ledger, openRuns };
  } finally {
    redis.destroy();
    await connection.close();
  }
}

/** One entry of the stream is a batch; its id tells the last number, and runs of deltas lie folded. */
function eventsOf(id: string, { at, events = '[]' }: Record<string, string>): GenerationEvent[] {
  const folded = JSON.parse(events) as { type: string; parts?: string[] }[];
  const bodies = folded.flatMap(({ parts, ...event }) =>
    parts === undefined ? [event] : parts.map((text) => ({ ...event, text })),
  );
  const first = Number(id.split('-')[1]) - bodies.length + 1;
  return bodies.map((body, index) => ({ ...body, seq: first + index, at: Number(at) }) as GenerationEvent);
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
function readBill(path: string): JournalLine[] {
  const calls = new Map<string, JournalLine>();
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (!line.endsWith('}')) continue;
    const call = JSON.parse(line) as JournalLine;
    calls.set(call.id, call);
  }
  return [...calls.values()];
}
