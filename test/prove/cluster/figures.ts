/** What a generation costs a deployment: the same requests, on one machine's services and on the cluster. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { workflowId } from '../../../contracts/names.ts';
import { load, round, streamOnce, summary } from '../../../tools/bench/load.ts';
import { useOf } from '../../../tools/bench/process-use.ts';
import { promptOf } from '../../harness/prompt.ts';
import { waitFor } from '../../harness/wait-for.ts';

const TENANT = 'dev';
const WARM_UP = 20;
const ALONE = { requests: 30, atOnce: 1 };
const TOGETHER = { requests: 80, atOnce: 6 };
const SAMPLED_RUNS = 20;
const TOKENS = 60;
const DELAY_MS = 5;
/** A busy machine misses a time limit now and then. */
const MOST_FAILURES = 20;
const AGAIN_MS = 1_000;

interface Measured {
  readonly url: string;
  readonly key: string;
  readonly temporalAddress: string;
  /** The processes of each kind. */
  readonly pids: () => Readonly<Record<string, readonly number[]>>;
  /** Commands that all nodes of Redis have processed. */
  readonly redisCommands: () => Promise<number>;
  /** null where the database of Temporal does not count them. */
  readonly transactions: (() => Promise<number>) | null;
}

/** By the name of its row. */
export type Figures = Readonly<Record<string, number | string>>;

export async function measure(deployment: Measured): Promise<Figures> {
  const { pids, redisCommands, transactions } = deployment;
  let failures = 0;
  const untilWhole = async () => {
    for (;;) {
      try {
        return await generate(deployment);
      } catch (error) {
        failures += 1;
        if (failures > MOST_FAILURES) throw error;
        await sleep(AGAIN_MS);
      }
    }
  };
  await load(WARM_UP, TOGETHER.atOnce, untilWhole);
  const alone = await load(ALONE.requests, ALONE.atOnce, untilWhole);
  const before = { cpu: cpuOf(pids()), redis: await redisCommands(), database: await transactions?.() };
  const beganAt = performance.now();
  const together = await load(TOGETHER.requests, TOGETHER.atOnce, untilWhole);
  const tookMs = performance.now() - beganAt;
  const stateWrites = await stateWritesOf(deployment, together.slice(-SAMPLED_RUNS));
  const after = { cpu: cpuOf(pids()), redis: await redisCommands(), database: await transactions?.() };
  const each = (total: number) => round(total / TOGETHER.requests);
  const cpu = Object.keys(after.cpu).map((kind) => {
    const used = (after.cpu[kind] ?? 0) - (before.cpu[kind] ?? 0);
    return [`CPU, ${kind}, ms a generation`, each(used)] as const;
  });
  const first = (sent: typeof alone) => summary(sent.map(({ firstMs }) => firstMs));
  return {
    'first token, one at a time, median ms': first(alone)['median ms'],
    'first token, one at a time, p99 ms': first(alone)['p99 ms'],
    [`first token, ${TOGETHER.atOnce} at once, median ms`]: first(together)['median ms'],
    [`first token, ${TOGETHER.atOnce} at once, p99 ms`]: first(together)['p99 ms'],
    'generations per second': round((TOGETHER.requests * 1_000) / tookMs),
    'CPU, all, ms a generation': round(cpu.reduce((sum, [, ms]) => sum + ms, 0)),
    ...Object.fromEntries(cpu),
    "writes of Temporal's state a generation": stateWrites,
    'transactions of PostgreSQL a generation':
      before.database === undefined || after.database === undefined
        ? '-'
        : each(after.database - before.database),
    'commands of Redis a generation': each(after.redis - before.redis),
    'failed, and asked again': failures,
  };
}

async function generate({ url, key }: Measured) {
  let id = '';
  const times = await streamOnce({
    url: `${url}/v1/generations`,
    key,
    body: {
      input: promptOf({ tokens: TOKENS, delayMs: DELAY_MS }),
      cache: 'off',
      stream: true,
      model: 'simulated/sim-large',
    },
    isText: ({ type }) => type === 'text-delta',
    onEvent: ({ type, generationId, error }) => {
      if (type === 'generation-start') id = String(generationId);
      return type === 'generation-error' ? `the generation failed: ${JSON.stringify(error)}` : undefined;
    },
  });
  return { ...times, id };
}

/** Each is a transaction of Temporal's store. The reader has the end before the run closes, so this waits for it. */
async function stateWritesOf(
  { temporalAddress }: Measured,
  sent: readonly { readonly id: string }[],
): Promise<number> {
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const { workflow } = new Client({ connection });
    let writes = 0;
    for (const { id } of sent) {
      const run = workflow.getHandle(workflowId(TENANT, id));
      const closed = await waitFor(`the run of ${id} to close`, async () => {
        const { status, raw } = await run.describe();
        return status.name !== 'RUNNING' && raw;
      });
      writes += Number(closed.workflowExecutionInfo?.stateTransitionCount ?? 0);
    }
    return round(writes / sent.length);
  } finally {
    await connection.close();
  }
}

function cpuOf(pids: Readonly<Record<string, readonly number[]>>): Record<string, number> {
  const sum = (own: readonly number[]) => own.reduce((total, pid) => total + cpuMsOf(pid), 0);
  return Object.fromEntries(Object.entries(pids).map(([kind, own]) => [kind, sum(own)]));
}

/** 0 where it has ended meanwhile: PostgreSQL starts and ends processes of its upkeep. */
function cpuMsOf(pid: number): number {
  try {
    return useOf([pid]).cpuMs;
  } catch {
    return 0;
  }
}

/** This process and those that it has started: PostgreSQL has one for each connection. */
export function familyOf(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((other) => parentOf(other) === pid);
  return [pid, ...children];
}

/** undefined where it has ended meanwhile. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}
