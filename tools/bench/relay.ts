/**
 * What one API process relays: how old a token is when its viewer has it, by the number of viewers and the transport;
 * tokens per second; memory per viewer; reconnect to the first missed token. The log is written by this process in the
 * place of workers, so that nothing but the relay is measured: append, Redis, API, socket.
 */
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogWriter } from '../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { connectRedis } from '../../platform/redis/redis-connection.ts';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { type HeapProbe, INSPECTED_NODE, openHeapProbe } from './heap.ts';
import {
  type FromViewers,
  nowMs,
  type ToViewers,
  type Transport,
  type ViewersPlan,
} from './relay-viewers.ts';

const VIEWERS_PER_GENERATION = 10;
const WARM_UP_MS = 5_000;
const SETTLE_MS = 1_000;
const SETTLED_BYTES = 100_000;
const RECONNECTS = 200;
const FLOOD_VIEWERS = 100;
const FLOOD_MS = 5_000;
/** Of Linux, on every machine of today. */
const TICKS_PER_SECOND = 100;

interface RelayPlan {
  readonly viewers: readonly number[];
  readonly seconds: number;
  readonly tokensPerSecond: number;
}

interface Viewers {
  ask(message: ToViewers): Promise<readonly number[]>;
  stop(): void;
}

interface Generation {
  readonly id: string;
  readonly writer: LogWriter;
}

export async function benchRelay(plan: RelayPlan): Promise<void> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    const env = { NODE_OPTIONS: INSPECTED_NODE };
    stack = await startStack({ workers: 0, services: services.env, env });
    await measure(stack, plan);
  } finally {
    await stack?.stop();
    await services.stop();
  }
}

async function measure(stack: Stack, plan: RelayPlan): Promise<void> {
  const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  const log = new RedisEventLog(redis, { retentionMs: 600_000 });
  let made = 0;
  const begin = async (): Promise<Generation> => {
    made += 1;
    const id = `gen_${String(made).padStart(32, '0')}`;
    await log.create({
      generationId: id,
      tenant: 'dev',
      user: 'dev',
      route: 'default',
      requestHash: 'bench',
      metadata: {},
      input: { messages: [{ role: 'user', content: 'bench' }], maxOutputTokens: 1 },
    });
    return { id, writer: (await log.open(id, 1)).writer };
  };
  const [api] = stack.apis;
  if (api === undefined) throw new Error('the stack has no API');
  const viewers = startViewers();
  const heap = await openHeapProbe(api.log());
  try {
    console.log(`Load of the machine before: ${loadavg()[0]?.toFixed(1)} (1 minute)`);
    const rows: Record<string, Record<string, number>> = {};
    for (const transport of ['SSE', 'WebSocket'] as const) {
      for (const count of plan.viewers) {
        const generations = await beginAll(begin, Math.ceil(count / VIEWERS_PER_GENERATION));
        const planned = planFor(stack, transport, generations, count);
        rows[`${transport}, ${count} viewers`] = await watch({
          viewers,
          api: { pid: api.pid(), heap },
          planned,
          generations,
          plan,
        });
      }
    }
    console.log(
      `\nAge of a token at its viewer, from just before its append; ${VIEWERS_PER_GENERATION} viewers a generation, ` +
        `${plan.tokensPerSecond} tokens/s each, ${plan.seconds} s a row`,
    );
    console.table(rows);
    await printFlood(stack, viewers, await beginAll(begin, FLOOD_VIEWERS / VIEWERS_PER_GENERATION));
    await printReconnects(stack, viewers, await begin());
  } finally {
    heap.close();
    viewers.stop();
    redis.destroy();
  }
}

function beginAll(begin: () => Promise<Generation>, count: number): Promise<Generation[]> {
  return Promise.all(Array.from({ length: count }, begin));
}

function planFor(
  stack: Stack,
  transport: Transport,
  generations: readonly Generation[],
  count: number,
): ViewersPlan {
  const ids = Array.from({ length: count }, (_, index) => generations[index % generations.length]?.id ?? '');
  const port = Number(new URL(stack.api.url).port);
  return { port, key: stack.api.key, transport, generationIds: ids, after: 0 };
}

interface Watch {
  readonly viewers: Viewers;
  readonly api: { readonly pid: number; readonly heap: HeapProbe };
  readonly planned: ViewersPlan;
  readonly generations: readonly Generation[];
  readonly plan: RelayPlan;
}

async function watch({
  viewers,
  api: { pid, heap },
  planned,
  generations,
  plan: { seconds, tokensPerSecond },
}: Watch): Promise<Record<string, number>> {
  const emptyBytes = await settledBytes(heap);
  const emptyKiB = residentKiB(pid);
  await viewers.ask({ type: 'open', plan: planned });
  const stop = new AbortController();
  const writing = write(generations, tokensPerSecond, stop.signal);
  await sleep(WARM_UP_MS);
  await viewers.ask({ type: 'reset' });
  const cpu = cpuSeconds(pid);
  await sleep(seconds * 1_000);
  const usedCpu = cpuSeconds(pid) - cpu;
  const delays = await viewers.ask({ type: 'report' });
  const fullKiB = residentKiB(pid);
  const fullBytes = await heap.referencedBytes();
  stop.abort();
  await writing;
  await viewers.ask({ type: 'close' });
  const count = planned.generationIds.length;
  return {
    'median ms': rounded(percentile(delays, 0.5)),
    'p99 ms': rounded(percentile(delays, 0.99)),
    'tokens/s delivered': Math.round(delays.length / seconds),
    'tokens/s offered': count * tokensPerSecond,
    'API CPU %': Math.round((usedCpu / seconds) * 100),
    'KiB per viewer, in use': rounded((fullBytes - emptyBytes) / 1_024 / count),
    'with garbage': Math.round((fullKiB - emptyKiB) / count),
  };
}

/** What the process references once it has let go of the viewers of the row before. */
async function settledBytes(heap: HeapProbe): Promise<number> {
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const bytes = await heap.referencedBytes();
    if (bytes > before - SETTLED_BYTES) return bytes;
    before = bytes;
    await sleep(SETTLE_MS);
  }
}

/** Each generation's tokens come evenly, and those of different generations at different times. */
async function write(
  generations: readonly Generation[],
  tokensPerSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = nowMs();
  let written = 0;
  const total = generations.length * tokensPerSecond;
  while (!signal.aborted) {
    const due = Math.floor(((nowMs() - startedAtMs) / 1_000) * total);
    for (; written < due; written += 1) {
      const { writer } = generations[written % generations.length] ?? {};
      writer?.write({ type: 'text-delta', text: `<${nowMs().toFixed(3)}> ` }).catch(() => undefined);
    }
    await sleep(1);
  }
  await Promise.all(generations.map(({ writer }) => writer.flush()));
}

async function printFlood(stack: Stack, viewers: Viewers, generations: readonly Generation[]): Promise<void> {
  const rows: Record<string, Record<string, number>> = {};
  for (const transport of ['SSE', 'WebSocket'] as const) {
    await viewers.ask({ type: 'open', plan: planFor(stack, transport, generations, FLOOD_VIEWERS) });
    await viewers.ask({ type: 'reset' });
    const untilMs = nowMs() + FLOOD_MS;
    await Promise.all(
      generations.map(async ({ writer }) => {
        while (nowMs() < untilMs) {
          await writer.write({ type: 'text-delta', text: `<${nowMs().toFixed(3)}> ` });
          if (writer.nextSeq % 50 === 0) await writer.flush();
        }
      }),
    );
    const delays = await viewers.ask({ type: 'report' });
    await viewers.ask({ type: 'close' });
    rows[transport] = { 'tokens/s': Math.round(delays.length / (FLOOD_MS / 1_000)) };
  }
  console.log(`\nTokens through one API process to ${FLOOD_VIEWERS} viewers, as fast as they can be written`);
  console.table(rows);
}

async function printReconnects(stack: Stack, viewers: Viewers, generation: Generation): Promise<void> {
  const missed = 50;
  for (let token = 0; token < 2 * missed; token += 1) {
    await generation.writer.write({ type: 'text-delta', text: `<${nowMs().toFixed(3)}> ` });
    await generation.writer.flush();
  }
  const rows: Record<string, Record<string, number>> = {};
  for (const transport of ['SSE', 'WebSocket'] as const) {
    const plan = { ...planFor(stack, transport, [generation], RECONNECTS), after: missed };
    const waits = await viewers.ask({ type: 'reconnect', plan });
    rows[transport] = {
      'median ms': rounded(percentile(waits, 0.5)),
      'p99 ms': rounded(percentile(waits, 0.99)),
    };
  }
  console.log(`\nReconnect to the first missed token, ${RECONNECTS} times, from before the TCP connect`);
  console.table(rows);
}

function startViewers(): Viewers {
  const child = fork(join(import.meta.dirname, 'relay-viewers.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return {
    ask: async (message) => {
      const done = new AbortController();
      const { signal } = done;
      child.send(message);
      const ended = once(child, 'exit', { signal }).then(() => {
        throw new Error('the viewers have ended');
      });
      ended.catch(() => undefined);
      const [answer]: FromViewers[] = await Promise.race([once(child, 'message', { signal }), ended]);
      done.abort();
      return answer?.type === 'report' ? answer.delaysMs : [];
    },
    stop: () => child.kill(),
  };
}

function residentKiB(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));
}

/** User and system time of a process so far; NaN where there is no /proc. */
function cpuSeconds(pid: number): number {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return Number.NaN;
  // The name of the process, in brackets, may hold spaces.
  const fields = readFileSync(path, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
