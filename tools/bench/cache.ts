/** What a hit saves and what a miss costs, end to end; and how long a look-up takes among many stored answers. */
import { createParser } from 'eventsource-parser';
import { promptOf } from '../../test/harness/prompt.ts';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { benchLookUps } from './cache-look-up.ts';
import { summary } from './cache-summary.ts';

const WARM_UP_REQUESTS = 20;

export async function benchCache({
  requests,
  entries,
}: {
  readonly requests: number;
  readonly entries: readonly number[];
}): Promise<void> {
  const services = await startSharedServices();
  let stack: Stack | undefined;
  try {
    stack = await startStack({ services: services.env });
    await benchEndToEnd(stack, requests);
    await stack.stop();
    stack = undefined;
    await benchLookUps(services.env['QDRANT_URL'] ?? '', entries);
  } finally {
    await stack?.stop();
    await services.stop();
  }
}

/** The same questions three times: first to a provider, then in the same words, then in others. */
async function benchEndToEnd(stack: Stack, requests: number): Promise<void> {
  const [, plan = ''] = /(\[\[.*\]\])/.exec(promptOf({ tokens: 60, delayMs: 1 })) ?? [];
  const topics = Array.from({ length: requests }, (_, index) => `widget number ${Date.now()}${index}`);
  const questionsOf = (words: string) => topics.map((topic) => `${words.replace('TOPIC', topic)} ${plan}`);
  const first = questionsOf('How do I turn on the TOPIC?');
  const other = questionsOf('What is the way to switch on the TOPIC?');
  await measure(stack, first.slice(0, WARM_UP_REQUESTS), 'off');
  const rows = {
    'no look-up (cache: off)': await measure(stack, questionsOf('Why is there a TOPIC?'), 'off'),
    'a miss, compared with what is stored': await measure(stack, first, 'on'),
    'a hit, in the same words': await measure(stack, first, 'on'),
    'a hit, in other words': await measure(stack, other, 'on'),
  };
  console.log(
    `Time to the first text delta, ${requests} requests a row, one at a time, from sending the POST`,
  );
  console.table(
    Object.fromEntries(
      Object.entries(rows).map(([name, samples]) => [
        name,
        {
          ...summary(samples.map(({ firstMs }) => firstMs)),
          hits: samples.filter(({ cacheResult }) => cacheResult === 'hit').length,
          skipped: samples.filter(({ cacheResult }) => cacheResult === 'skip').length,
        },
      ]),
    ),
  );
}

interface Sample {
  readonly firstMs: number;
  /** What the response says of the cache. */
  readonly cacheResult: string | null;
}

async function measure(stack: Stack, inputs: readonly string[], cache: 'on' | 'off'): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const input of inputs) samples.push(await firstDelta(stack, input, cache));
  return samples;
}

async function firstDelta(stack: Stack, input: string, cache: 'on' | 'off'): Promise<Sample> {
  const sentAt = performance.now();
  const body = JSON.stringify({ input, cache, stream: true });
  const response = await stack.api.send('/v1/generations', { method: 'POST', body });
  let firstMs = 0;
  const parser = createParser({
    onEvent: ({ event }) => {
      if (event === 'text-delta' && firstMs === 0) firstMs = performance.now() - sentAt;
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  return { firstMs, cacheResult: response.headers.get('x-unbroken-cache') };
}
