/**
 * Unbroken beside LiteLLM's proxy, a durable step of Restate and of bare Temporal, and the bare provider: the same
 * load, in one run, on one machine. Each target streams the same kind of answer; Unbroken does so with all of its
 * durability, LiteLLM with none, and Restate and bare Temporal keep the whole answer once they have it.
 */
import { type SharedServices, startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { startBareTemporal } from './bare-temporal.ts';
import { killReaders } from './kill-readers.ts';
import { startLiteLlm } from './litellm.ts';
import { load, round, type StreamTimes, summary } from './load.ts';
import { useOf } from './process-use.ts';
import { startRestate } from './restate.ts';
import { streamChat } from './stream-chat.ts';
import { generate } from './stream-generation.ts';

const WARM_UP_REQUESTS = 60;
const SHORT = { tokens: 40, delayMs: 5, firstMs: 0 };
/** As long as a real answer, at the speed of a real model. */
const LONG = { tokens: 300, delayMs: 20, firstMs: 0 };
/** `share` of the requests: a long answer takes 6 s. */
const LOADS = [
  { answer: SHORT, concurrency: 1, share: 1 },
  { answer: SHORT, concurrency: 20, share: 1 },
  { answer: SHORT, concurrency: 100, share: 1 },
  { answer: LONG, concurrency: 20, share: 1 / 3 },
] as const;

type Answer = (typeof LOADS)[number]['answer'];

interface Target {
  readonly name: string;
  /** By name, for what each costs. */
  readonly pids: Readonly<Record<string, number>>;
  one(answer: Answer): Promise<StreamTimes>;
}

export async function benchPeers(requests: number): Promise<void> {
  const services = await startSharedServices();
  const endings = [() => services.stop()];
  try {
    const stack = await startStack({ services: services.env });
    endings.unshift(() => stack.stop());
    const peer = await startLiteLlm(`${stack.sim.url}/v1`);
    endings.unshift(() => peer.stop());
    const durablePeer = await startRestate(`${stack.sim.url}/v1`);
    endings.unshift(() => durablePeer.stop());
    const floor = await startBareTemporal(`${stack.sim.url}/v1`, services);
    endings.unshift(() => floor.end());
    const targets: Target[] = [
      { name: 'bare provider', pids: {}, one: (answer) => streamChat(stack.sim.url, 'none', answer) },
      {
        name: 'LiteLLM',
        pids: { LiteLLM: peer.pid },
        one: (answer) => streamChat(peer.url, peer.key, answer),
      },
      {
        name: 'Restate',
        pids: durablePeer.pids,
        one: (answer) => streamChat(durablePeer.url, 'none', answer),
      },
      {
        name: 'bare Temporal',
        pids: { ...pidOfTemporal(services), service: floor.pid },
        one: (answer) => streamChat(floor.url, 'none', answer),
      },
      unbroken(stack, services),
    ];
    for (const target of targets) await load(WARM_UP_REQUESTS, 4, () => target.one(SHORT));
    for (const { answer, concurrency, share } of LOADS) {
      const plan = { answer, concurrency, requests: Math.ceil(requests * share) };
      const rows: Record<string, object> = {};
      const parts: string[] = [];
      for (const target of targets) {
        const { row, cpu } = await measure(target, plan);
        rows[target.name] = row;
        if (cpu !== '') parts.push(`${target.name}: ${cpu}`);
      }
      console.log(
        `\n${concurrency} at once, ${plan.requests} requests each; ` +
          `${answer.tokens} tokens, one every ${answer.delayMs} ms`,
      );
      console.table(rows);
      printRatios(rows);
      console.log(`CPU ms each: ${parts.join('; ')}`);
    }
    await killReaders(stack, durablePeer);
  } finally {
    for (const end of endings) await end();
  }
}

function pidOfTemporal({ pidOf: { temporal } }: SharedServices): Record<string, number> {
  return temporal === undefined ? {} : { Temporal: temporal };
}

function unbroken(stack: Stack, services: SharedServices): Target {
  const seats = [...stack.apis, ...stack.workers];
  const pids: Record<string, number> = {};
  for (const seat of seats) pids[seat.name] = seat.pid();
  for (const [name, pid] of Object.entries(services.pidOf)) if (pid !== undefined) pids[name] = pid;
  return {
    name: 'Unbroken',
    pids,
    one: (answer) => generate(stack, answer),
  };
}

interface Plan {
  readonly answer: Answer;
  readonly concurrency: number;
  readonly requests: number;
}

async function measure(target: Target, { answer, concurrency, requests }: Plan) {
  const pids = Object.entries(target.pids);
  const cpuOf = () => new Map(pids.map(([name, pid]) => [name, useOf([pid]).cpuMs]));
  const before = cpuOf();
  const begunAt = performance.now();
  const samples = await load(requests, concurrency, () => target.one(answer));
  const seconds = (performance.now() - begunAt) / 1_000;
  const after = cpuOf();
  const cpuMs = pids.map(([name]) => ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / requests);
  const first = summary(samples.map((sample) => sample.firstMs));
  return {
    row: {
      'first token, median ms': first['median ms'],
      'first token, p99 ms': first['p99 ms'],
      'generations/s': round(requests / seconds),
      'CPU s per 1,000': round(cpuMs.reduce((sum, ms) => sum + ms, 0)),
      'memory MiB': Math.round(useOf(Object.values(target.pids)).residentMiB),
    },
    cpu: pids.map(([name], index) => `${name} ${round(cpuMs[index] ?? 0)}`).join(', '),
  };
}

function printRatios(rows: Record<string, object>): void {
  const figure = (name: string, column: string) => Number(Reflect.get(rows[name] ?? {}, column));
  for (const peer of ['LiteLLM', 'Restate', 'bare Temporal']) {
    const ratio = (column: string) => (figure('Unbroken', column) / figure(peer, column)).toFixed(2);
    console.log(
      `Unbroken to ${peer}: first token ${ratio('first token, median ms')} times, ` +
        `generations per second ${ratio('generations/s')} times, CPU ${ratio('CPU s per 1,000')} times`,
    );
  }
}
