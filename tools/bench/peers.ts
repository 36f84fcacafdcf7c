/**
 * Unbroken beside LiteLLM's proxy and the bare provider: the same load, in one run, on one machine. Each target streams
 * the same kind of answer; Unbroken does so with all of its durability, LiteLLM with none.
 */
import { promptOf } from '../../test/harness/prompt.ts';
import { type SharedServices, startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { startLiteLlm } from './litellm.ts';
import { load, round, type StreamTimes, streamOnce, summary } from './load.ts';
import { useOf } from './process-use.ts';

const CONCURRENCIES = [1, 20, 100];
const WARM_UP_REQUESTS = 60;
const ANSWER = { tokens: 40, delayMs: 5, firstMs: 0 };

interface Target {
  readonly name: string;
  readonly pids: readonly number[];
  one(): Promise<StreamTimes>;
}

export async function benchPeers(requests: number): Promise<void> {
  const services = await startSharedServices();
  const endings = [() => services.stop()];
  try {
    const stack = await startStack({ services: services.env });
    endings.unshift(() => stack.stop());
    const peer = await startLiteLlm(`${stack.sim.url}/v1`);
    endings.unshift(() => peer.stop());
    const targets: Target[] = [
      { name: 'bare provider', pids: [], one: () => chat(stack.sim.url, 'none') },
      { name: 'LiteLLM', pids: [peer.pid], one: () => chat(peer.url, peer.key) },
      unbroken(stack, services),
    ];
    for (const target of targets) await load(WARM_UP_REQUESTS, 4, () => target.one());
    for (const concurrency of CONCURRENCIES) {
      const rows: Record<string, object> = {};
      for (const target of targets) rows[target.name] = await measure(target, requests, concurrency);
      console.log(
        `\n${concurrency} at once, ${requests} requests each; ${ANSWER.tokens} tokens, one every ${ANSWER.delayMs} ms`,
      );
      console.table(rows);
      printRatios(rows);
    }
  } finally {
    for (const end of endings) await end();
  }
}

function unbroken(stack: Stack, services: SharedServices): Target {
  const seats = [...stack.apis, ...stack.workers];
  return {
    name: 'Unbroken',
    pids: [...services.pids, ...seats.map((seat) => seat.pid())],
    one: () =>
      streamOnce({
        url: `${stack.api.url}/v1/generations`,
        key: stack.api.key,
        body: { input: promptOf(ANSWER), cache: 'off', stream: true, model: 'simulated/sim-large' },
        isText: ({ type }) => type === 'text-delta',
        onEvent: ({ type }) => (type === 'generation-error' ? 'the generation failed' : undefined),
      }),
  };
}

function chat(url: string, key: string): Promise<StreamTimes> {
  const messages = [{ role: 'user', content: promptOf(ANSWER) }];
  return streamOnce({
    url: `${url}/v1/chat/completions`,
    key,
    body: { model: 'sim-large', messages, stream: true },
    isText: (chunk) => {
      const [choice] = (chunk['choices'] ?? []) as { delta?: { content?: string | null } }[];
      return Boolean(choice?.delta?.content);
    },
    onEvent: (chunk) => (chunk['error'] === undefined ? undefined : 'an error in the stream'),
  });
}

async function measure(target: Target, requests: number, concurrency: number) {
  const before = useOf(target.pids);
  const begunAt = performance.now();
  const samples = await load(requests, concurrency, () => target.one());
  const seconds = (performance.now() - begunAt) / 1_000;
  const after = useOf(target.pids);
  const first = summary(samples.map((sample) => sample.firstMs));
  return {
    'first token, median ms': first['median ms'],
    'first token, p99 ms': first['p99 ms'],
    'generations/s': round(requests / seconds),
    'CPU s per 1,000': round((after.cpuMs - before.cpuMs) / requests),
    'memory MiB': Math.round(after.residentMiB),
  };
}

function printRatios(rows: Record<string, object>): void {
  const figure = (name: string, column: string) => Number(Reflect.get(rows[name] ?? {}, column));
  const ratio = (column: string) => (figure('Unbroken', column) / figure('LiteLLM', column)).toFixed(2);
  console.log(
    `Unbroken to LiteLLM: first token ${ratio('first token, median ms')} times, ` +
      `generations per second ${ratio('generations/s')} times, CPU ${ratio('CPU s per 1,000')} times`,
  );
}
