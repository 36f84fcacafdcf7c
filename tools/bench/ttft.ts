/** Time to first token: what Unbroken adds to the provider's own, and which step adds it. */
import { promptOf } from '../../test/harness/prompt.ts';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { closeTemporalClients } from '../../test/harness/streaming-worker.ts';
import { load, round, type StreamTimes, streamOnce, summary } from './load.ts';
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
    const rows: Record<string, object> = {};
    for (const concurrency of CONCURRENCIES) {
      const direct = await load(requests, concurrency, () => straight(target));
      const ours = await load(requests, concurrency, () => throughUnbroken(target));
      const row = (samples: readonly StreamTimes[]) => summary(samples.map((sample) => sample.firstMs));
      const [a, b] = [row(direct), row(ours)];
      rows[`straight, concurrency ${concurrency}`] = a;
      rows[`Unbroken, concurrency ${concurrency}`] = b;
      rows[`difference, concurrency ${concurrency}`] = {
        'median ms': round(b['median ms'] - a['median ms']),
        'p99 ms': round(b['p99 ms'] - a['p99 ms']),
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
  const times: { appendedAtMs?: number; startedAtMs?: number; id?: string } = {};
  const streamed = await streamOnce({
    url: `${stack.api.url}/v1/generations`,
    key: stack.api.key,
    body: { input: prompt(), cache: 'off', stream: true, model: 'simulated/sim-large' },
    isText: ({ type }) => type === 'text-delta',
    onEvent: ({ type, at, generationId }) => {
      if (type === 'generation-start') times.id = String(generationId);
      if (type === 'provider-start') times.startedAtMs ??= Number(at);
      if (type === 'text-delta') times.appendedAtMs ??= Number(at);
      return type === 'generation-error' ? 'the generation failed' : undefined;
    },
  });
  return { ...streamed, ...times };
}

function straight(stack: Stack): Promise<StreamTimes> {
  const input = [{ role: 'user', content: prompt() }];
  return streamOnce({
    url: `${stack.sim.url}/v1/responses`,
    key: 'none',
    body: { model: 'sim-large', input, stream: true, background: true, store: true },
    isText: ({ type }) => type === 'response.output_text.delta',
  });
}

function prompt(): string {
  return promptOf({ tokens: 40, delayMs: 5, firstMs: 0 });
}
