/** A conversation stays at the key whose account may have its prompt in its cache, as long as that key has room. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { drawByWeight } from '../../../engine/routing/draw-by-weight.ts';
import type { CallResult, GateCall, GatePass, ProviderGate } from '../../../engine/routing/provider-gate.ts';
import { RedisGate } from '../../../engine/routing/redis-gate.ts';
import { breakerSchema, type ProviderKey } from '../../../platform/config/gate-schema.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const ANSWERED: CallResult = {
  verdict: 'answered',
  key: null,
  firstTokenMs: 100,
  tokensPerSecond: 50,
  tokens: 10,
};

let server: TestRedis;
let redis: RedisConnection;
let provider = '';
let tests = 0;
let calls = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());
beforeEach(() => {
  tests += 1;
  provider = `provider-${tests}`;
});

const keyOf = (id: string, facts: Partial<ProviderKey> = {}): ProviderKey => ({
  id,
  secret: `secret-${id}`,
  weight: 1,
  requests: null,
  tokens: null,
  windowMs: 60_000,
  ...facts,
});
const FOUR = ['a', 'b', 'c', 'd'];
const gateOf = (keys: readonly ProviderKey[]): ProviderGate =>
  new RedisGate({
    redis,
    keys: { [provider]: keys },
    scopes: {},
    breaker: breakerSchema.parse({}),
    probeMs: 400,
    onUnreachable: (reason) => {
      throw reason;
    },
  });

async function enter(
  gate: ProviderGate,
  affinity?: string,
  facts: Partial<GateCall> = {},
): Promise<GatePass> {
  calls += 1;
  const call = { tenant: 'acme', generationId: `gen-${calls}`, callId: `call-${calls}`, isLast: false };
  const admission = await gate.enter({ ...call, provider, model: 'm', tokens: 10, affinity, ...facts });
  if (!admission.admitted) throw new Error(`not admitted: ${admission.because}`);
  return admission.pass;
}

/** The key of one call, which is answered. */
async function keyFor(gate: ProviderGate, affinity?: string): Promise<string> {
  const pass = await enter(gate, affinity);
  await pass.leave(ANSWERED);
  return pass.key.id;
}

async function keysFor(gate: ProviderGate, affinities: readonly string[]): Promise<string[]> {
  const keys: string[] = [];
  for (const affinity of affinities) keys.push(await keyFor(gate, affinity));
  return keys;
}

const conversations = Array.from({ length: 60 }, (_, index) => `conversation-${index}`);

describe('the key of a conversation', () => {
  test('is the same at every turn, however much other calls use it, and at every worker', async () => {
    const [gate, otherGate] = [gateOf(FOUR.map((id) => keyOf(id))), gateOf(FOUR.map((id) => keyOf(id)))];
    const first = await keyFor(gate, 'long-session');
    for (let turn = 0; turn < 10; turn += 1) {
      expect(await keyFor(turn % 2 === 0 ? gate : otherGate, 'long-session')).toBe(first);
      await keyFor(gate);
    }
  });

  test('spreads by weight, and only what a removed key had moves', async () => {
    const keys = [keyOf('a', { weight: 3 }), keyOf('b'), keyOf('c')];
    const before = await keysFor(gateOf(keys), conversations);
    expect(before.filter((id) => id === 'a').length).toBeGreaterThan(25);
    expect(new Set(before)).toEqual(new Set(['a', 'b', 'c']));
    const after = await keysFor(gateOf(keys.slice(0, 2)), conversations);
    for (const [index, id] of before.entries()) if (id !== 'c') expect(after[index]).toBe(id);
  });

  test('is another at once while it has no room, always the same one, and the first again after that', async () => {
    const gate = gateOf(FOUR.map((id) => keyOf(id, { requests: 2 })));
    const first = await keyFor(gate, 'busy');
    expect(await keyFor(gate, 'busy')).toBe(first);
    const second = await keyFor(gate, 'busy');
    expect(second).not.toBe(first);
    expect(await keyFor(gate, 'busy')).toBe(second);
  });

  test('is another at once after a refusal or a rate limit', async () => {
    for (const verdict of ['limited', 'refused'] as const) {
      provider = `${provider}-${verdict}`;
      const gate = gateOf(FOUR.map((id) => keyOf(id)));
      const pass = await enter(gate, 'unlucky');
      const key = { verdict, status: verdict === 'limited' ? 429 : 401, restMs: 60_000 };
      await pass.leave({ ...ANSWERED, verdict: null, key, firstTokenMs: null, tokens: 0 });
      expect(await keyFor(gate, 'unlucky')).not.toBe(pass.key.id);
    }
  });

  test('is the key of the room that was waited for, and that room is taken by affinity as well', async () => {
    const gate = gateOf(FOUR.map((id) => keyOf(id)));
    const key = await keyFor(gate, 'waiting');
    const call = { generationId: 'gen-w', callId: 'call-w', provider, model: 'm', tokens: 10 };
    expect(await gate.takeRoom({ ...call, affinity: 'waiting' })).toMatchObject({ keyId: key });
  });
});

test('a draw is a number from 0 to 1 that only its seed and its weight decide', () => {
  const draws = conversations.map((seed) => drawByWeight(seed, 1));
  expect(draws).toEqual(conversations.map((seed) => drawByWeight(seed, 1)));
  expect(Math.min(...draws)).toBeGreaterThan(0);
  expect(Math.max(...draws)).toBeLessThanOrEqual(1);
  expect(drawByWeight('one', 3)).toBeGreaterThan(drawByWeight('one', 1));
});
