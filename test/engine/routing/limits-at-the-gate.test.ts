/** What the gate makes of the limits that a provider reports. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type {
  Admission,
  CallResult,
  GateCall,
  GatePass,
  ProviderGate,
} from '../../../engine/routing/provider-gate.ts';
import { RedisGate } from '../../../engine/routing/redis-gate.ts';
import { breakerSchema } from '../../../platform/config/gate-schema.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const FAILED: CallResult = {
  verdict: 'failed',
  key: null,
  firstTokenMs: null,
  tokensPerSecond: null,
  tokens: null,
};

let server: TestRedis;
let redis: RedisConnection;
let provider = '';
let calls = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());
beforeEach(() => {
  provider = `provider-${calls}`;
});

const gateOf = (): ProviderGate =>
  new RedisGate({
    redis,
    keys: {
      [provider]: [{ id: 'a', secret: 's', weight: 1, requests: null, tokens: null, windowMs: 60_000 }],
    },
    scopes: {},
    breaker: breakerSchema.parse({}),
    probeMs: 400,
    onUnreachable: () => undefined,
  });

function callOf(): GateCall {
  calls += 1;
  return {
    tenant: 'acme',
    generationId: `gen-${calls}`,
    provider,
    model: 'm',
    callId: `call-${calls}`,
    tokens: 10,
    isLast: false,
  };
}

function passOf(admission: Admission): GatePass {
  if (!admission.admitted) throw new Error(`not admitted: ${admission.because}`);
  return admission.pass;
}

test('a key waits for what an evenly refilled limit needs, not for its reset', async () => {
  const gate = gateOf();
  const pass = passOf(await gate.enter(callOf()));
  pass.noteHead(
    new Headers({
      'x-ratelimit-limit-requests': '30',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '5m0s',
    }),
  );
  await waitFor('it is noted', async () =>
    (await redis.get(`ub:gate:{${provider}}:key-state:a`))?.includes('requestsLeft'),
  );
  const refused = await gate.enter(callOf());
  expect(refused).toMatchObject({ admitted: false, because: 'full' });
  expect('waitMs' in refused && refused.waitMs).toBeLessThanOrEqual(10_000);
});

test('F14: after a refusal, its Retry-After decides, not what an earlier answer said is left', async () => {
  const gate = gateOf();
  const first = passOf(await gate.enter(callOf()));
  const second = passOf(await gate.enter(callOf()));
  first.noteHead(
    new Headers({
      'x-ratelimit-limit-tokens': '1000',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
    }),
  );
  await waitFor('it is noted', async () =>
    (await redis.get(`ub:gate:{${provider}}:key-state:a`))?.includes('tokensLeft'),
  );
  const limited = { verdict: 'limited', status: 429, restMs: 500 } as const;
  await second.leave({ ...FAILED, verdict: null, key: limited });
  const refused = await gate.enter(callOf());
  expect(refused).toMatchObject({ admitted: false, because: 'full' });
  expect('waitMs' in refused && refused.waitMs).toBeLessThanOrEqual(500);
});
