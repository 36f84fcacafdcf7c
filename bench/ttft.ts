/** Time to first token: what Unbroken adds to the provider's own, and which step adds it. */
import { createParser } from 'eventsource-parser';
import { promptOf } from '../test/harness/prompt.ts';
import { startSharedServices } from '../test/harness/shared-services.ts';
import { type Stack, startStack } from '../test/harness/stack.ts';
import { closeTemporalClients } from '../test/harness/streaming-worker.ts';
import { readSteps, type Sample, STEPS } from './ttft-steps.ts';

const WARM_UP_REQUESTS = 40;
const CONCURRENCIES = [1, 20];
const SAMPLED_RUNS = 50;

export async function benchTimeToFirstToken(requests: number): Promise<void> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ services: services.env });
    const target = stack;
    await load(WARM_UP_REQUESTS, 4, () => throughUnbroken(target));
    await load(WARM_UP_REQUESTS, 4, () => straight(target));
    const rows: Record<string, Record<string, number>> = {};
    for (const concurrency of CONCURRENCIES) {
      const direct = await load(requests, concurrency, () => straight(target));
      const ours = await load(requests, concurrency, () => throughUnbroken(target));
      const row = (samples: readonly Sample[]) => summary(samples.map((sample) => sample.firstMs));
      const [a, b] = [row(direct), row(ours)];
      rows[`straight, concurrency ${concurrency}`] = a;
      rows[`Unbroken, concurrency ${concurrency}`] = b;
      rows[`difference, concurrency ${concurrency}`] = {
        'median ms': round((b['median ms'] ?? 0) - (a['median ms'] ?? 0)),
        'p99 ms': round((b['p99 ms'] ?? 0) - (a['p99 ms'] ?? 0)),
      };
      await printSteps(target, concurrency, ours.slice(-SAMPLED_RUNS));
    }
    console.log(`\nTime to first text delta, ${requests} requests a row, from sending the POST`);
    console.table(rows);
  } finally {
    await stack?.stop();
    await closeTemporalClients();
    await services.stop();
  }
}

async function printSteps(stack: Stack, concurrency: number, samples: readonly Sample[]): Promise<void> {
  const steps = await Promise.all(samples.map((sample) => readSteps(stack, sample)));
  const table = Object.fromEntries(
    STEPS.map((name) => [
      name,
      summary(steps.flatMap((step) => (step[name] === undefined ? [] : [step[name]]))),
    ]),
  );
  console.log(
    `\nSteps at concurrency ${concurrency}, from ${samples.length} of the runs (event times are whole ms;`,
  );
  console.log('medians of steps need not add up to the median of the whole)');
  console.table(table);
}

async function throughUnbroken(stack: Stack): Promise<Sample> {
  const body = JSON.stringify({ input: prompt(), cache: 'off', stream: true, model: 'simulated/sim-large' });
  return measure(`${stack.api.url}/v1/generations`, body, 'text-delta', stack.api.key);
}

async function straight(stack: Stack): Promise<Sample> {
  const body = JSON.stringify({
    model: 'sim-large',
    input: [{ role: 'user', content: prompt() }],
    stream: true,
    background: true,
    store: true,
  });
  return measure(`${stack.sim.url}/v1/responses`, body, 'response.output_text.delta', 'none');
}

function prompt(): string {
  return promptOf({ tokens: 40, delayMs: 5, firstMs: 0 });
}

/** Reads the whole stream, so that the concurrency is real, and notes when the first delta came. */
async function measure(url: string, body: string, deltaType: string, key: string): Promise<Sample> {
  const sentAtMs = performance.timeOrigin + performance.now();
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const sample: { firstAtMs?: number; appendedAtMs?: number; startedAtMs?: number; id?: string } = {};
  let broken: string | undefined;
  const parser = createParser({
    onEvent: ({ data }) => {
      if (!data.startsWith('{')) return;
      const event = JSON.parse(data) as { type: string; at?: number; generationId?: string };
      if (event.type === 'generation-start' && event.generationId !== undefined)
        sample.id = event.generationId;
      if (event.type === 'provider-start' && event.at !== undefined) sample.startedAtMs ??= event.at;
      if (event.type === 'generation-error' || event.type === 'response.failed') broken = data;
      if (event.type !== deltaType || sample.firstAtMs !== undefined) return;
      sample.firstAtMs = performance.timeOrigin + performance.now();
      if (event.at !== undefined) sample.appendedAtMs = event.at;
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  if (sample.firstAtMs === undefined)
    throw new Error(`${url}: no text came; ${broken ?? 'the stream was empty'}`);
  return { ...sample, sentAtMs, firstAtMs: sample.firstAtMs, firstMs: sample.firstAtMs - sentAtMs };
}

async function load(requests: number, concurrency: number, one: () => Promise<Sample>): Promise<Sample[]> {
  const samples: Sample[] = [];
  let begun = 0;
  const runner = async () => {
    while (begun < requests) {
      begun += 1;
      samples.push(await one());
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runner));
  return samples;
}

function summary(values: readonly number[]): Record<string, number> {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (share: number) =>
    round(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN);
  return { 'median ms': rank(0.5), 'p99 ms': rank(0.99), samples: sorted.length };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
