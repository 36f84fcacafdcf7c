import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { followGeneration } from '../../clients/typescript/follow-generation.ts';
import { createClient } from '../../clients/typescript/index.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { createFunction } from '../../examples/serverless/function.ts';
import { type Platform, startPlatform } from '../../examples/serverless/platform.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Stack, startStack } from '../harness/stack.ts';

/** 30 seconds and some minutes in real life. */
const LIMIT_MS = 6_000;
/** Streams end this long before the limit: a busy machine needs it. */
const MARGIN_MS = 5_000;
/** For the platform that cuts. */
const SHORT_LIMIT_MS = 3_000;
const GENERATION = { tokens: 300, delayMs: 20 };
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ config: { limits: { heartbeatMs: 200 } } });
});
afterAll(() => stack?.stop());

/** Submits and follows through the function alone, as a browser would. */
async function generate(platform: Platform, input: string): Promise<GenerationEvent[]> {
  const { id } = await createClient({ baseUrl: platform.url }).submit({ input, cache: 'off' });
  const events: GenerationEvent[] = [];
  for await (const event of followGeneration({ baseUrl: platform.url, generationId: id })) events.push(event);
  return events;
}

describe('a generation that takes several times as long as the platform lets a request take', () => {
  const start = (limits: { limitMs: number; marginMs: number }) => {
    const handler = createFunction({ apiUrl: stack.api.url, apiKey: stack.api.key, ...limits });
    return startPlatform(handler, limits);
  };

  test('is followed whole, and no request is cut, where each stream ends before the limit', async () => {
    const platform = await start({ limitMs: LIMIT_MS, marginMs: MARGIN_MS });
    const input = promptOf(GENERATION);
    const events = await generate(platform, input);
    await platform.stop();
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect(platform.requests).toBeGreaterThanOrEqual(4);
    expect(platform.cuts).toBe(0);
  });

  test('is followed whole, also where it is silent for longer than the limit', async () => {
    const platform = await start({ limitMs: LIMIT_MS, marginMs: MARGIN_MS });
    const events = await generate(platform, promptOf({ tokens: 5, delayMs: 0, firstMs: 2 * LIMIT_MS }));
    await platform.stop();
    expect(faultsOf(events)).toEqual([]);
    expect([platform.requests > 3, platform.cuts]).toEqual([true, 0]);
  });

  test('is followed whole, also where the platform cuts in the middle of it', async () => {
    const platform = await start({ limitMs: SHORT_LIMIT_MS, marginMs: -10_000 });
    const input = promptOf({ tokens: 500, delayMs: 20 });
    const events = await generate(platform, input);
    await platform.stop();
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect(platform.cuts).toBeGreaterThanOrEqual(2);
  });
});

describe('?until_ms=', () => {
  test('ends the stream in time and cleanly, with a line that tells an EventSource to come back at once', async () => {
    const body = await stack.api.submit({ input: promptOf({ tokens: 500, delayMs: 20 }), cache: 'off' });
    const startedAt = performance.now();
    const response = await stack.api.send(`/v1/generations/${body.id}/events?until_ms=700`);
    const text = await response.text();
    const tookMs = performance.now() - startedAt;
    expect(text).toMatch(/^retry: 1000\n\n/);
    expect(text).toMatch(/\n\n: until_ms is over\nretry: 250\n\n$/);
    expect(tookMs).toBeGreaterThanOrEqual(650);
    expect((await stack.api.view(body.id)).body.status).toBe('running');
    await stack.api.cancel(body.id);
  });
});
