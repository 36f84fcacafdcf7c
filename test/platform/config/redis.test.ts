import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { loadConfig } from '../../../platform/config/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-redis-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function placeOf(redis: object, environment: Record<string, string> = {}) {
  const path = join(folder, 'unbroken.config.yaml');
  writeFileSync(path, JSON.stringify({ redis }));
  return loadConfig({ ...environment, UNBROKEN_CONFIG: path }).redisPlace;
}

const CLUSTER = ['redis://10.0.0.1:7001', 'redis://10.0.0.2:7001'];
const SENTINEL = { master: 'main', urls: ['redis://10.0.0.1:26379'], passwordEnv: 'WATCH', tls: true };

test('REDIS_URL names one server or some nodes of a cluster, and overrides the config', () => {
  expect(placeOf({})).toEqual({ kind: 'one', url: 'redis://127.0.0.1:6379' });
  const url = 'redis://ann:a,b@10.0.0.9:6379/2';
  expect(placeOf({ cluster: CLUSTER }, { REDIS_URL: url })).toEqual({ kind: 'one', url });
  expect(placeOf({}, { REDIS_URL: 'unix:///run/redis.sock' })).toMatchObject({ kind: 'one' });
  expect(placeOf({}, { REDIS_URL: CLUSTER.join(', ') })).toEqual({ kind: 'cluster', urls: CLUSTER });
});

test('the config names a cluster, or sentinels, and its passwords by their variables', () => {
  const login = { username: 'ann', passwordEnv: 'SECRET' };
  const environment = { SECRET: 'p@ss', WATCH: 'seen' };
  expect(placeOf({ cluster: CLUSTER.slice(0, 1) })).toEqual({ kind: 'cluster', urls: [CLUSTER[0]] });
  expect(placeOf({ cluster: CLUSTER, ...login }, environment)).toEqual({
    kind: 'cluster',
    urls: ['redis://ann:p%40ss@10.0.0.1:7001', 'redis://ann:p%40ss@10.0.0.2:7001'],
  });
  expect(placeOf({ sentinel: SENTINEL, ...login }, environment)).toEqual({
    kind: 'sentinel',
    master: 'main',
    sentinels: ['redis://:seen@10.0.0.1:26379'],
    serverUrl: 'rediss://ann:p%40ss@master:6379',
  });
});

test('a wrong setting is reported with its key and the fix', () => {
  expect(() => placeOf({ cluster: CLUSTER, sentinel: SENTINEL })).toThrow(
    'either redis.cluster or redis.sentinel',
  );
  expect(() => placeOf({ cluster: CLUSTER, passwordEnv: 'SECRET' })).toThrow(
    'redis.passwordEnv names SECRET',
  );
  expect(() => placeOf({ cluster: ['http://10.0.0.1'] })).toThrow('expected redis://host:port');
  expect(() => placeOf({}, { REDIS_URL: '10.0.0.1:6379' })).toThrow('REDIS_URL');
  // Redis' client would end the process with an error that names no setting.
  for (const password of ['p%ss', 'p#ss', 'p/ss', 'p?ss']) {
    expect(() => placeOf({}, { REDIS_URL: `redis://:${password}@10.0.0.1:6379` })).toThrow(
      'write # / ? % as %23',
    );
  }
  expect(() => placeOf({}, { REDIS_URL: 'redis://10.0.0.1:6379/cache' })).toThrow('the number of a database');
});
