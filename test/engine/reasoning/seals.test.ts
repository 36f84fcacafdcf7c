/** Seals of reasoning: only their own tenant, provider and account open them, and only if they were not changed. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isSealed, RedisReasoningSeals } from '../../../engine/reasoning/seals.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis } from '../streaming/redis-server.ts';

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());

const OWNER = { tenant: 'acme', provider: 'anthropic', account: 'key-1' };
const DATA = {
  wire: 'anthropic-messages',
  value: { type: 'thinking', thinking: 'Let me see. ✓', signature: 'EuYBCkQYAiJA' },
} as const;

test('any process of the installation opens what another has sealed', async () => {
  const sealed = await new RedisReasoningSeals(redis).seal(OWNER, { ...DATA, callId: 'toolu_1' });
  expect(isSealed(sealed)).toBe(true);
  expect(await new RedisReasoningSeals(redis).open(OWNER, sealed)).toEqual({ ...DATA, callId: 'toolu_1' });
});

test.each([
  ['another tenant', { tenant: 'rival' }],
  ['another provider', { provider: 'bedrock' }],
  ['another account', { account: 'key-2' }],
])('%s cannot open it', async (_who, other) => {
  const seals = new RedisReasoningSeals(redis);
  expect(await seals.open({ ...OWNER, ...other }, await seals.seal(OWNER, DATA))).toBeNull();
});

test('a provider with one key opens what any of its keys got', async () => {
  const seals = new RedisReasoningSeals(redis);
  expect(await seals.open({ ...OWNER, account: null }, await seals.seal(OWNER, DATA))).toEqual(DATA);
});

test('it shows nothing of what it holds, and not which characters it was changed in', async () => {
  const seals = new RedisReasoningSeals(redis);
  const sealed = await seals.seal(OWNER, DATA);
  expect(Buffer.from(sealed.slice(5, -5), 'base64url').toString('latin1')).not.toContain('EuYB');
  for (const at of [0, 7, Math.floor(sealed.length / 2), sealed.length - 8, sealed.length - 1]) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    expect(isSealed(changed)).toBe(true);
    expect(await seals.open(OWNER, changed)).toBeNull();
  }
  for (const broken of ['ubr1_', 'ubr1__1rbu', `${sealed.slice(0, 40)}_1rbu`]) {
    expect(await seals.open(OWNER, broken)).toBeNull();
  }
});

test('what a vendor gave its own client is no seal', () => {
  expect(['EuYBCkQYAiJA', '', undefined, 7].map(isSealed)).toEqual([false, false, false, false]);
});
