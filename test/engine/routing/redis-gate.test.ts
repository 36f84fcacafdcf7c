import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  Admission,
  CallResult,
  GateCall,
  GatePass,
  ProviderGate,
} from '../../../engine/routing/provider-gate.ts';
import { RedisGate } from '../../../engine/routing/redis-gate.ts';
import { RedisGateReader } from '../../../engine/routing/redis-gate-reader.ts';
import type { ProviderKey } from '../../../platform/config/gate-schema.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const BREAKER = {
  windowMs: 60_000,
  minCalls: 4,
  badShare: 0.5,
  slowFirstTokenMs: 5_000,
  openMs: 300,
  maxOpenMs: 300,
};
const ANSWERED: CallResult = {
  verdict: 'answered',
  key: null,
  firstTokenMs: 100,
  tokensPerSecond: 50,
  tokens: 10,
};
const FAILED: CallResult = {
  ...ANSWERED,
  verdict: 'failed',
  firstTokenMs: null,
  tokensPerSecond: null,
  tokens: null,
};

let server: TestRedis;
let redis: RedisConnection;
let otherRedis: RedisConnection;
let provider = '';
let tests = 0;
const away: unknown[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  otherRedis = await server.connect();
});
afterAll(() => server.stop());
beforeEach(() => {
  tests += 1;
  provider = `provider-${tests}`;
  away.length = 0;
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
const gateOf = (keys: readonly ProviderKey[], connection = redis): ProviderGate =>
  new RedisGate({
    redis: connection,
    keys: { [provider]: keys },
    scopes: {},
    breaker: BREAKER,
    probeMs: 400,
    onUnreachable: (reason) => away.push(reason),
  });
const reportOf = (keys: readonly ProviderKey[], tenant = 'acme') =>
  new RedisGateReader({ redis, keys: { [provider]: keys }, scopes: {}, breaker: BREAKER }).report(
    provider,
    tenant,
  );
let calls = 0;
const callOf = (facts: Partial<GateCall> = {}): GateCall => {
  calls += 1;
  return {
    tenant: 'acme',
    generationId: `gen-${calls}`,
    provider,
    model: 'm',
    callId: `call-${calls}`,
    tokens: 10,
    isLast: false,
    ...facts,
  };
};
function passOf(admission: Admission): GatePass {
  if (!admission.admitted) throw new Error(`not admitted: ${admission.because}`);
  return admission.pass;
}
async function times(count: number, gate: ProviderGate, result: CallResult, facts: Partial<GateCall> = {}) {
  for (let number = 0; number < count; number += 1) {
    await passOf(await gate.enter(callOf(facts))).leave(result);
  }
}

describe('keys', () => {
  test('share the calls by their weights', async () => {
    const gate = gateOf([keyOf('a', { weight: 3 }), keyOf('b')]);
    const used: string[] = [];
    for (let number = 0; number < 40; number += 1) used.push(passOf(await gate.enter(callOf())).key.id);
    expect(used.filter((id) => id === 'a')).toHaveLength(30);
  });

  test('share calls that are rare by their weights, too', async () => {
    const used: string[] = [];
    for (let number = 0; number < 80; number += 1) {
      // Its keys have no call in their window.
      provider = `rare-${number}`;
      const gate = gateOf([keyOf('a', { weight: 3 }), keyOf('b')]);
      used.push(passOf(await gate.enter(callOf())).key.id);
    }
    const ofB = used.filter((id) => id === 'b').length;
    expect(ofB).toBeGreaterThan(5);
    expect(ofB).toBeLessThan(40);
  });

  test('of two workers that ask at once never give out more than the limit of requests', async () => {
    const keys = [keyOf('a', { requests: 7 }), keyOf('b', { requests: 5 })];
    const gates = [gateOf(keys), gateOf(keys, otherRedis)];
    const admissions = await Promise.all(
      Array.from({ length: 60 }, (_, index) => gates[index % 2]?.enter(callOf())),
    );
    expect(admissions.filter((admission) => admission?.admitted)).toHaveLength(12);
    expect(admissions.find((admission) => admission?.admitted === false)).toMatchObject({ because: 'full' });
  });

  test('have room again when the window has passed, and no earlier', async () => {
    const keys = [keyOf('a', { requests: 2, windowMs: 1_200 })];
    const gate = gateOf(keys);
    const begunAt = Date.now();
    await gate.enter(callOf());
    await gate.enter(callOf());
    const refusal = await gate.enter(callOf());
    if (refusal.admitted) throw new Error('there was no room left');
    expect(refusal.waitMs).toBeGreaterThan(800);
    expect(refusal.waitMs).toBeLessThanOrEqual(1_300);
    await waitFor('there is room', async () => 'keyId' in (await gate.takeRoom(callOf())));
    expect(Date.now() - begunAt).toBeGreaterThanOrEqual(1_200);
  });

  test('count tokens as reserved while a call runs, and as used when it has ended', async () => {
    const gate = gateOf([keyOf('a', { tokens: 100 })]);
    const pass = passOf(await gate.enter(callOf({ tokens: 90 })));
    expect(await gate.enter(callOf({ tokens: 50 }))).toMatchObject({ admitted: false, because: 'full' });
    await pass.leave({ ...ANSWERED, tokens: 20 });
    await waitFor('the line is empty', async () => (await gate.enter(callOf({ tokens: 50 }))).admitted);
  });

  test('let a call pass alone that is larger than the whole limit', async () => {
    const gate = gateOf([keyOf('a', { tokens: 100 })]);
    expect(await gate.enter(callOf({ tokens: 5_000 }))).toMatchObject({ admitted: true });
  });

  test('rest for as long as the provider asks, only for the model that it is about', async () => {
    const keys = [keyOf('a'), keyOf('b')];
    const gate = gateOf(keys);
    const first = passOf(await gate.enter(callOf()));
    const departure = await first.leave({
      ...FAILED,
      verdict: null,
      key: { verdict: 'limited', status: 429, restMs: 60_000 },
    });
    expect(departure.restMs).toBe(60_000);
    for (let number = 0; number < 5; number += 1) {
      expect(passOf(await gate.enter(callOf())).key.id).not.toBe(first.key.id);
    }
    const others = new Set<string>();
    for (let number = 0; number < 12; number += 1) {
      others.add(passOf(await gate.enter(callOf({ model: 'other' }))).key.id);
    }
    expect(others).toContain(first.key.id);
    const resting = (await reportOf(keys)).keys.find(({ id }) => id === first.key.id);
    expect(resting?.state).toBe('resting');
  });

  test('rest longer with each refusal that names no time', async () => {
    const gate = gateOf([keyOf('a'), keyOf('b'), keyOf('c')]);
    const limited: CallResult = {
      ...FAILED,
      verdict: null,
      key: { verdict: 'limited', status: 429, restMs: 0 },
    };
    const pass = passOf(await gate.enter(callOf()));
    expect((await pass.leave(limited)).restMs).toBe(1_000);
  });

  test('that are refused are skipped and reported, and all others stay in use', async () => {
    const keys = [keyOf('a'), keyOf('b')];
    const gate = gateOf(keys);
    const refused = passOf(await gate.enter(callOf()));
    await refused.leave({ ...FAILED, verdict: null, key: { verdict: 'refused', status: 401, restMs: 0 } });
    for (let number = 0; number < 6; number += 1) {
      expect(passOf(await gate.enter(callOf())).key.id).not.toBe(refused.key.id);
    }
    const report = (await reportOf(keys)).keys.find(({ id }) => id === refused.key.id);
    expect(report).toMatchObject({ state: 'refused', refusedBy: 401 });
    expect(JSON.stringify(report)).not.toContain('secret');
    const last = passOf(await gate.enter(callOf()));
    await last.leave({ ...FAILED, verdict: null, key: { verdict: 'refused', status: 403, restMs: 0 } });
    expect(await gate.enter(callOf())).toMatchObject({ admitted: false, because: 'refused' });
  });

  test('obey what the head of an answer says is left', async () => {
    const gate = gateOf([keyOf('a')]);
    const pass = passOf(await gate.enter(callOf()));
    pass.noteHead(
      new Headers({
        'x-ratelimit-limit-requests': '10',
        'x-ratelimit-remaining-requests': '1',
        'x-ratelimit-reset-requests': '5m0s',
      }),
    );
    await waitFor('it is noted', async () =>
      (await redis.get(`ub:gate:{${provider}}:key-state:a`))?.includes('requestsLeft'),
    );
    expect((await gate.enter(callOf())).admitted).toBe(true);
    const refused = await gate.enter(callOf());
    expect(refused).toMatchObject({ admitted: false, because: 'full' });
    // The next of ten requests in five minutes, or the most that a reset is believed.
    expect('waitMs' in refused && refused.waitMs).toBeLessThanOrEqual(30_000);
  });
});

describe('the line', () => {
  test('is not of those whose model alone must rest: other models of the provider pass', async () => {
    const gate = gateOf([keyOf('a')]);
    const limited = { verdict: 'limited', status: 429, restMs: 60_000 } as const;
    await passOf(await gate.enter(callOf())).leave({ ...FAILED, verdict: null, key: limited });
    expect(await gate.enter(callOf())).toMatchObject({ admitted: false, because: 'full' });
    expect(await gate.takeRoom(callOf())).toMatchObject({ because: 'resting' });
    expect((await gate.enter(callOf({ model: 'other' }))).admitted).toBe(true);
  });

  test('is not overtaken by new arrivals while a call waits in it', async () => {
    const gate = gateOf([keyOf('a', { requests: 1, windowMs: 1_000 })]);
    await gate.enter(callOf());
    expect('waitMs' in (await gate.takeRoom(callOf()))).toBe(true);
    const taken = await waitFor('the first has room', async () => {
      expect((await gate.enter(callOf())).admitted).toBe(false);
      const room = await gate.takeRoom(callOf());
      return 'keyId' in room ? room : null;
    });
    expect((await gate.enter(callOf())).admitted).toBe(false);
    expect(passOf(await gate.enter(callOf({ room: taken }))).key.id).toBe('a');
  });

  test('is not stood in again for room that was paid under a key which a rolling restart replaces', async () => {
    const [old, replaced] = [[keyOf('a', { requests: 1 })], [keyOf('b', { requests: 1 })]];
    const usedBy = async (keys: readonly ProviderKey[]) => {
      const [key] = (await reportOf(keys)).keys;
      return [key?.usedRequests, key?.usedTokens];
    };
    const room = await gateOf(old).takeRoom(callOf());
    if (!('keyId' in room)) throw new Error('there was room');
    expect(passOf(await gateOf(replaced).enter(callOf({ room }))).key.id).toBe('b');
    expect([await usedBy(old), await usedBy(replaced)]).toEqual([
      [0, 0],
      [1, 10],
    ]);
    // The key that replaces it may be at its limit by now: the turn of this call has come all the same.
    const next = await gateOf(old).takeRoom(callOf());
    if (!('keyId' in next)) throw new Error('the room that moved is free again');
    expect((await gateOf(replaced).enter(callOf({ room: next }))).admitted).toBe(true);
    expect((await gateOf(replaced).enter(callOf())).admitted).toBe(false);
    expect(await usedBy(old)).toEqual([0, 0]);
  });

  test('is forgotten when nobody stands in it any more', async () => {
    const gate = gateOf([keyOf('a', { requests: 1, windowMs: 1_000 })]);
    await gate.enter(callOf());
    await gate.takeRoom(callOf());
    await waitFor('a newcomer passes', async () => (await gate.enter(callOf())).admitted);
  });
});

describe('the circuit', () => {
  test('opens for all workers when half of the calls have failed, and says so', async () => {
    const keys = [keyOf('a')];
    const gate = gateOf(keys);
    await times(2, gate, ANSWERED);
    await times(1, gate, FAILED);
    const opening = await passOf(await gate.enter(callOf())).leave(FAILED);
    expect(opening.circuit).toBe('opened');
    const refusal = await gateOf(keys, otherRedis).enter(callOf());
    expect(refusal).toMatchObject({ admitted: false, because: 'open' });
    expect((await gate.enter(callOf({ model: 'other' }))).admitted).toBe(true);
    const [model] = (await reportOf(keys)).models;
    expect(model).toMatchObject({ model: 'm', circuit: 'open', because: 'errors' });
  });

  test('lets one call try it, and closes when that one is answered', async () => {
    const gate = gateOf([keyOf('a')]);
    await times(4, gate, FAILED);
    const probe = await waitFor('a probe passes', async () => {
      const admission = await gate.enter(callOf());
      return admission.admitted ? admission.pass : null;
    });
    expect(await gate.enter(callOf())).toMatchObject({ admitted: false, because: 'open' });
    probe.noteFirstToken(50);
    await waitFor('all pass', async () => (await gate.enter(callOf())).admitted);
    await probe.leave(ANSWERED);
    expect((await gate.enter(callOf())).admitted).toBe(true);
  });

  test('stays open when the call that tried it fails, and is tried again', async () => {
    const gate = gateOf([keyOf('a')]);
    await times(4, gate, FAILED);
    const enter = async () => {
      const admission = await gate.enter(callOf());
      return admission.admitted ? admission.pass : null;
    };
    const first = await waitFor('a probe passes', enter);
    expect((await first.leave(FAILED)).circuit).toBe('opened');
    expect((await gate.enter(callOf())).admitted).toBe(false);
    const second = await waitFor('another probe passes', enter);
    expect((await second.leave(ANSWERED)).circuit).toBe('closed');
  });

  test('is tried by another when the one that tried it never came back', async () => {
    const gate = gateOf([keyOf('a')]);
    await times(4, gate, FAILED);
    const enter = async () => (await gate.enter(callOf())).admitted;
    await waitFor('a probe passes', enter);
    expect(await enter()).toBe(false);
    await waitFor('another probe passes', enter);
  });

  test('opened by slowness still serves a call without another candidate', async () => {
    const gate = gateOf([keyOf('a')]);
    await times(4, gate, { ...ANSWERED, firstTokenMs: 6_000 });
    expect((await gate.enter(callOf())).admitted).toBe(false);
    expect((await gate.enter(callOf({ isLast: true }))).admitted).toBe(true);
  });

  test('is not closed by an answer that was begun before it opened', async () => {
    const gate = gateOf([keyOf('a')]);
    const early = passOf(await gate.enter(callOf()));
    await times(4, gate, FAILED);
    await early.leave(ANSWERED);
    expect((await gate.enter(callOf())).admitted).toBe(false);
  });

  test("is not moved by errors that are not the model's", async () => {
    const gate = gateOf([keyOf('a')]);
    await times(8, gate, { ...FAILED, verdict: null });
    expect((await gate.enter(callOf())).admitted).toBe(true);
  });
});

test('the speed of a model is learned, and what is new counts more', async () => {
  const keys = [keyOf('a')];
  const gate = gateOf(keys);
  await times(3, gate, { ...ANSWERED, firstTokenMs: 1_000, tokensPerSecond: 10 });
  await times(10, gate, { ...ANSWERED, firstTokenMs: 100, tokensPerSecond: 90 });
  const [model] = (await reportOf(keys)).models;
  expect(model?.firstTokenMs).toBeLessThan(250);
  expect(model?.tokensPerSecond).toBeGreaterThan(75);
});

test('a provider without a key is refused, and Redis is not asked', async () => {
  expect(await gateOf([]).enter(callOf())).toEqual({ admitted: false, because: 'refused', waitMs: 0 });
  expect(away).toEqual([]);
});

test('a gate that does not answer lets every call pass, and tells it', async () => {
  const silent = {
    evalSha: () => new Promise<never>(() => undefined),
    eval: () => Promise.reject(new Error('no')),
  };
  const gate = new RedisGate({
    redis: silent,
    keys: { [provider]: [keyOf('a')] },
    scopes: {},
    breaker: BREAKER,
    probeMs: 400,
    onUnreachable: (reason) => away.push(reason),
  });
  const pass = passOf(await gate.enter(callOf()));
  expect(pass.key.id).toBe('a');
  expect(await pass.leave(ANSWERED)).toEqual({ circuit: null, restMs: 0 });
  expect(away).toHaveLength(1);
});
