/** A key that comes again after the model and the route of its generation have left the config. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const VENDOR = { LEAVING_KEY: 'sk-leaving-0123456789' };
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    env: VENDOR,
    config: (simulatorUrl) => ({
      providers: {
        leaving: {
          wire: 'openai-responses',
          baseUrl: `${simulatorUrl}/v1`,
          keys: [{ env: 'LEAVING_KEY' }],
        },
      },
      routes: { leaving: { candidates: ['leaving/sim-large'] } },
    }),
  });
});
afterAll(() => stack?.stop());

test('it finds its generation, whether that has ended or still runs', async () => {
  const ended = {
    input: promptOf({ tokens: 5, delayMs: 1 }),
    model: 'leaving/sim-large',
    cache: 'off',
  } as const;
  const running = {
    input: promptOf({ tokens: 4_000, delayMs: 25 }),
    route: 'leaving',
    cache: 'off',
  } as const;
  const [{ body: first }, { body: second }] = await Promise.all([
    stack.api.create(ended, 'key-ended'),
    stack.api.create(running, 'key-running'),
  ]);
  await startReading(stack.api, first.id).whole;
  await startReading(stack.api, second.id).deltas(3);
  writeFileSync(stack.env['UNBROKEN_CONFIG'] ?? '', '{}');
  await stack.apis[0]?.kill();
  await stack.apis[0]?.restart();
  expect((await stack.api.create(ended, 'key-ended')).body.id).toBe(first.id);
  expect((await stack.api.create(running, 'key-running')).body.id).toBe(second.id);
  expect((await stack.api.view(second.id)).body.status).toBe('running');
  const other = await stack.api.create({ ...ended, input: 'another' }, 'key-ended');
  expect([other.status, other.body]).toMatchObject([409, { error: { code: 'idempotency_conflict' } }]);
  expect((await stack.api.create(ended, 'new-key')).status).toBe(404);
  await stack.api.cancel(second.id);
  const events = await startReading(stack.api, second.id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'generation-cancel' });
});
