import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkRedis } from '../../../tools/services/doctor/check-redis.ts';
import { isAtLeast } from '../../../tools/services/doctor/finding.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server?.stop());

test('a Redis that forgets or evicts is an error, and the fix that it names repairs it', async () => {
  const redis = await server.connect();
  const statusOf = async (check: string) =>
    (await checkRedis({ redisPlace: { kind: 'one', url: server.url }, redis: {} })).find(
      (finding) => finding.check === check,
    );
  await redis.configSet({ appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' });
  expect(await statusOf('redis eviction')).toMatchObject({ status: 'error' });
  const persistence = await statusOf('redis persistence');
  expect(persistence).toMatchObject({ status: 'error' });
  expect(persistence?.fix).toContain('CONFIG SET appendonly yes');
  await redis.configSet({ appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' });
  expect(await statusOf('redis eviction')).toMatchObject({ status: 'ok' });
  expect(await statusOf('redis persistence')).toMatchObject({ status: 'ok' });
  for (const risky of ['everysec', 'no']) {
    await redis.configSet('appendfsync', risky);
    expect(await statusOf('redis persistence')).toMatchObject({ status: 'warning' });
  }
});

test('a user of Redis who may not use the channels is an error, and the fix that it names repairs it', async () => {
  const redis = await server.connect();
  const url = new URL(server.url);
  Object.assign(url, { username: 'app', password: 'secret' });
  const findings = () => checkRedis({ redisPlace: { kind: 'one', url: url.href }, redis: {} });
  const rightsIn = (fix = '') => fix.replace(/^.* <user> /, '').split(' ');
  await redis.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all']);
  const channels = (await findings()).find(({ check }) => check === 'redis channels');
  expect(channels).toMatchObject({ status: 'error', found: expect.stringContaining('NOPERM') });
  await redis.sendCommand(['ACL', 'SETUSER', 'app', '-info']);
  const [first] = await findings();
  expect(first).toMatchObject({ check: 'redis', status: 'error', fix: channels?.fix });
  const reset = ['ACL', 'SETUSER', 'app', 'resetkeys', 'resetchannels', '-@all'];
  await redis.sendCommand([...reset, ...rightsIn(channels?.fix)]);
  const repaired = (await findings()).filter(({ found }) => found.includes('NOPERM'));
  expect(repaired).toEqual([]);
  expect(await findings()).toContainEqual(expect.objectContaining({ check: 'redis channels', status: 'ok' }));
});

test.each([
  ['1.16.3', '1.10', true],
  ['v24.1.0', '22.19', true],
  ['7.0.15', '7.0', true],
  ['6.2.9', '7.0', false],
  ['1.9', '1.10', false],
])('%s is at least %s: %s', (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});
