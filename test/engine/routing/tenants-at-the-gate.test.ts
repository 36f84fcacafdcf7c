/** What one tenant's calls leave at the gate, as another tenant meets it. The scripts run in a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MODELS_KEPT } from '../../../engine/routing/gate-scripts.ts';
import type { CallResult, GateCall, ProviderGate } from '../../../engine/routing/provider-gate.ts';
import { RedisGate } from '../../../engine/routing/redis-gate.ts';
import { RedisGateReader } from '../../../engine/routing/redis-gate-reader.ts';
import type { ProviderKey } from '../../../platform/config/gate-schema.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const BREAKER = {
  windowMs: 60_000,
  minCalls: 5,
  badShare: 0.5,
  slowFirstTokenMs: 8_000,
  openMs: 60_000,
  maxOpenMs: 60_000,
};
const ANSWERED: CallResult = {
  verdict: 'answered' as const,
  key: null,
  firstTokenMs: 100,
  tokensPerSecond: 50,
  tokens: 10,
};
const NOTHING: CallResult = {
  verdict: null,
  key: null,
  firstTokenMs: null,
  tokensPerSecond: null,
  tokens: null,
};
const FAILED: CallResult = { ...NOTHING, verdict: 'failed' };
const SLOW: CallResult = { ...ANSWERED, firstTokenMs: 9_000 };

let server: TestRedis;
let redis: RedisConnection;
let provider = '';
let gate: ProviderGate;
let tests = 0;
let calls = 0;
const keys: ProviderKey[] = ['a', 'b'].map((id) => ({
  id,
  secret: `secret-${id}`,
  weight: 1,
  requests: null,
  tokens: null,
  windowMs: 60_000,
}));

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());
beforeEach(() => {
  tests += 1;
  provider = `provider-${tests}`;
  gate = gateOf({});
});

function gateOf(breaker: Partial<typeof BREAKER>): ProviderGate {
  return new RedisGate({
    redis,
    keys: { [provider]: keys },
    scopes: {},
    breaker: { ...BREAKER, ...breaker },
    probeMs: 60_000,
    onUnreachable: (reason) => {
      throw reason;
    },
  });
}
function enter(tenant: string, facts: Partial<GateCall> = {}) {
  calls += 1;
  return gate.enter({
    tenant,
    generationId: `gen-${calls}`,
    callId: `call-${calls}`,
    provider,
    model: 'm',
    tokens: 10,
    isLast: false,
    ...facts,
  });
}
async function passOf(tenant: string, facts: Partial<GateCall> = {}) {
  const admission = await enter(tenant, facts);
  if (!admission.admitted) throw new Error(`${tenant} was not admitted: ${admission.because}`);
  return admission.pass;
}
/** All calls are under way before the first has ended, so that none is kept out by those before it. */
async function send(count: number, tenant: string, result: CallResult, facts: Partial<GateCall> = {}) {
  const passes = [];
  for (let number = 0; number < count; number += 1) passes.push(await passOf(tenant, facts));
  for (const pass of passes) await pass.leave(result);
}
const isAdmitted = async (tenant: string) => (await enter(tenant)).admitted;
const reportTo = (tenant: string, routed: Readonly<Record<string, readonly string[]>> = {}) =>
  new RedisGateReader({
    redis,
    keys: { [provider]: keys },
    scopes: {},
    breaker: BREAKER,
    routed,
  }).report(provider, tenant);

describe('the circuit', () => {
  test.each([
    ['failed', FAILED],
    ['slow', SLOW],
  ])('that the %s calls of one tenant open is open for that tenant alone', async (_, result) => {
    await send(50, 'eve', result);
    expect(await isAdmitted('eve')).toBe(false);
    expect(await isAdmitted('bob')).toBe(true);
    expect((await reportTo('eve')).models).toMatchObject([{ circuit: 'open' }]);
    expect((await reportTo('bob', { [provider]: ['m'] })).models).toMatchObject([{ circuit: 'closed' }]);
  });

  test('does not open for all by one tenant whose calls fail while all others are answered', async () => {
    await send(3, 'bob', ANSWERED);
    await send(50, 'eve', FAILED);
    await send(1, 'bob', FAILED);
    expect(await isAdmitted('bob')).toBe(true);
    expect(await isAdmitted('ann')).toBe(true);
  });

  test('opens for all where several tenants see the outage, also those with few calls', async () => {
    for (const tenant of ['ann', 'bob', 'eve']) await send(2, tenant, FAILED);
    expect(await enter('new')).toMatchObject({ admitted: false, because: 'open' });
    expect((await reportTo('new', { [provider]: ['m'] })).models).toMatchObject([{ circuit: 'open' }]);
  });

  test('opens for all by two tenants', async () => {
    await send(5, 'ann', FAILED);
    await send(5, 'bob', FAILED);
    expect(await isAdmitted('new')).toBe(false);
  });

  test('is not held open for others by one tenant whose every try fails', async () => {
    gate = gateOf({ openMs: 2_000 });
    for (const tenant of ['ann', 'bob', 'eve']) await send(2, tenant, FAILED);
    const probe = await waitFor('eve may try', async () => {
      const admission = await enter('eve');
      return admission.admitted && admission.pass;
    });
    expect(await isAdmitted('new')).toBe(false);
    await probe.leave(FAILED);
    expect(await isAdmitted('eve')).toBe(false);
    const other = await passOf('new');
    expect((await other.leave(ANSWERED)).circuit).toBe('closed');
    expect(await isAdmitted('ann')).toBe(true);
  });

  test('does not count as slow what a long input explains', async () => {
    await send(10, 'ann', { ...SLOW, inputTokens: 50_000 });
    await send(10, 'bob', { ...SLOW, inputTokens: 50_000 });
    expect(await isAdmitted('ann')).toBe(true);
    expect(await isAdmitted('new')).toBe(true);
  });

  test('is not opened for others by calls given up while a long input was read', async () => {
    const givenUp = { ...FAILED, inputTokens: 100_000, silentMs: 10_000 };
    await send(10, 'ann', givenUp);
    await send(10, 'bob', givenUp);
    expect(await isAdmitted('ann')).toBe(false);
    expect(await isAdmitted('new')).toBe(true);
  });

  test('keeps no more tenants apart than it can read quickly, and still opens', async () => {
    for (let number = 0; number < 60; number += 1)
      await send(1, `tenant-${number}`, FAILED).catch(() => null);
    expect(await isAdmitted('new')).toBe(false);
    expect((await redis.get(`ub:gate:{${provider}}:circuit:m`))?.length).toBeLessThan(4_000);
  });
});

describe('a key', () => {
  test('that declined what one generation asked is used by all others, and not again by it', async () => {
    const first = await passOf('eve', { generationId: 'dear' });
    await first.leave({ ...NOTHING, key: { verdict: 'declined', status: 402, restMs: 0 } });
    const second = await passOf('eve', { generationId: 'dear' });
    expect(second.key.id).not.toBe(first.key.id);
    await second.leave({ ...NOTHING, key: { verdict: 'declined', status: 402, restMs: 0 } });
    expect(await enter('eve', { generationId: 'dear' })).toMatchObject({ because: 'refused' });
    const used = new Set<string>();
    for (const tenant of ['eve', 'bob']) {
      for (let number = 0; number < 4; number += 1) used.add((await passOf(tenant)).key.id);
    }
    expect([...used].sort()).toEqual(['a', 'b']);
    expect((await reportTo('bob')).keys.map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  test('that was rejected is put aside for all', async () => {
    const first = await passOf('eve');
    await first.leave({ ...NOTHING, key: { verdict: 'refused', status: 401, restMs: 0 } });
    for (let number = 0; number < 4; number += 1) {
      expect((await passOf('bob')).key.id).not.toBe(first.key.id);
    }
  });

  test('keeps a bounded number of rests, however many models callers name', async () => {
    for (let number = 0; number < MODELS_KEPT + 50; number += 1) {
      const pass = await passOf('eve', { model: `made-up-${number}` });
      await pass.leave({ ...NOTHING, key: { verdict: 'limited', status: 429, restMs: 60_000 + number } });
    }
    const stored = await Promise.all(
      keys.map(({ id }) => redis.get(`ub:gate:{${provider}}:key-state:${id}`)),
    );
    const rests = stored.map(
      (state) => Object.keys((JSON.parse(state ?? '{}') as { models?: object }).models ?? {}).length,
    );
    expect(Math.max(...rests)).toBeLessThanOrEqual(MODELS_KEPT);
  });
});

describe('the models that are shown', () => {
  test('to a tenant are those that it asked and those of routes, and no other tenant sees their names', async () => {
    await send(1, 'acme', ANSWERED, { model: 'ft:acme-secret-project-x' });
    await send(1, 'acme', ANSWERED, { model: 'routed' });
    const routed = { [provider]: ['routed', 'never-asked'] };
    const namesTo = async (tenant: string) =>
      (await reportTo(tenant, routed)).models.map(({ model }) => model);
    expect(await namesTo('acme')).toEqual(['ft:acme-secret-project-x', 'routed']);
    expect(await namesTo('beta')).toEqual(['routed']);
  });

  test('are bounded, however many names a caller makes up', async () => {
    for (let number = 0; number < MODELS_KEPT + 100; number += 1) {
      await send(1, 'eve', ANSWERED, { model: `made-up-${number}` });
    }
    expect((await reportTo('eve')).models.length).toBeLessThanOrEqual(MODELS_KEPT);
    expect((await reportTo('bob')).models).toEqual([]);
  });

  test('are none that answered nothing, and nothing is kept of them', async () => {
    await send(20, 'eve', NOTHING, { model: 'unknown-to-the-provider' });
    expect((await reportTo('eve')).models).toEqual([]);
    const left: string[] = [];
    for await (const found of redis.scanIterator({ MATCH: `ub:gate:{${provider}}*unknown*` }))
      left.push(...found);
    expect(left).toEqual([]);
  });
});

test("a tenant sees its own speed of a model, and others' only where it has none", async () => {
  await send(5, 'ann', { ...ANSWERED, firstTokenMs: 100 });
  await send(50, 'eve', { ...ANSWERED, firstTokenMs: 7_000 });
  const speedTo = async (tenant: string) =>
    (await reportTo(tenant, { [provider]: ['m'] })).models[0]?.firstTokenMs ?? 0;
  expect(await speedTo('ann')).toBeLessThan(200);
  expect(await speedTo('eve')).toBeGreaterThan(6_000);
  expect(await speedTo('new')).toBeGreaterThan(0);
});
