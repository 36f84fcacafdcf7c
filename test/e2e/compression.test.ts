import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GenerationRequest } from '../../contracts/generation.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';
import { readCompressionSet } from '../prove/compression-set.ts';

const [document] = readCompressionSet();
if (document === undefined) throw new Error('the set is empty');

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    config: {
      routes: { short: ['simulated/sim-large'] },
      compression: { ranking: 'words', routes: { short: { keep: 0.4 } } },
    },
  });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

const ask = async (extra: Partial<GenerationRequest>, tokens = 20, delayMs = 1) => {
  await stack.sim.forget();
  const input = `<document>${document.text}</document>\nWho noticed it? ${promptOf({ tokens, delayMs })}`;
  const body = await stack.api.submit({ input, cache: 'off', ...extra });
  return startReading(stack.api, body.id);
};
const sentTokens = async () => (await stack.sim.calls()).map((call) => call.inputTokens);

test('a context is shortened where the request or its route asks for it, and the run says by how much', async () => {
  await (await ask({})).whole;
  const [plain = 0] = await sentTokens();
  for (const extra of [{ compression: { keep: 0.4 } }, { route: 'short' }] as const) {
    const events = await (await ask(extra)).whole;
    expect(events.map(({ type }) => type).slice(0, 4)).toEqual([
      'generation-start',
      'prompt-compress',
      'budget-reserve',
      'provider-start',
    ]);
    const [, compressed] = events;
    if (compressed?.type !== 'prompt-compress') throw new Error('unreachable');
    expect(compressed).toMatchObject({ engine: 'built-in', reason: null });
    expect(compressed.tokensAfter / compressed.tokensBefore).toBeLessThanOrEqual(0.4);
    expect(compressed.tokensAfter / compressed.tokensBefore).toBeGreaterThan(0.35);
    const [sent = 0] = await sentTokens();
    expect(sent).toBeLessThan(0.55 * plain);
  }
  const off = await (await ask({ route: 'short', compression: 'off' })).whole;
  expect(off.some(({ type }) => type === 'prompt-compress')).toBe(false);
  expect((await sentTokens())[0]).toBe(plain);
});

test('a worker killed in the stream: the next one sends the same shortened context, reported once', async () => {
  const model = 'simulated-messages/sim-large';
  const reading = await ask({ compression: { keep: 0.4 }, model }, 400, 8);
  await reading.deltas(30);
  const victim = await waitFor('the worker that streams', () => streamingWorker(stack, reading.id));
  await victim.kill();
  await victim.restart();
  const events = await reading.whole;
  expect(events.filter(({ type }) => type === 'prompt-compress')).toHaveLength(1);
  const [first = 0, second = 0] = await sentTokens();
  expect(second).toBeGreaterThanOrEqual(first);
  expect(second).toBeLessThan(first + 1_000);
  expect(events.at(-1)?.type).toBe('generation-end');
});
