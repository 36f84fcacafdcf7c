import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Caller } from '../../../api/access/api-keys.ts';
import { OpenConnections } from '../../../api/access/open-connections.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type KeysOnRedis, startKeys } from './keys-on-redis.ts';

let keys: KeysOnRedis;
beforeAll(async () => {
  keys = await startKeys();
});
afterAll(() => keys?.stop());

test('a secret that is replaced ends what it has opened, at every process, and nothing of the new one', async () => {
  const fail = (error: unknown) => {
    throw error;
  };
  const connections = new OpenConnections(keys.there, { connectionsPerKey: 10, onError: fail });
  const closed: string[] = [];
  const open = async (key: string, name: string) => {
    const caller = (await keys.there.find(key)) as Caller;
    const admission = connections.admit(caller, () => {
      closed.push(name);
      admission.release();
    });
  };
  const { id, key } = await keys.here.create({ tenant: 'acme', user: 'ann' });
  await open(key, 'by the first secret');
  const second = (await keys.here.rotate(id, 60_000))?.key ?? '';
  await open(second, 'by the second secret');
  await open(key, 'by the first secret, while it is valid');
  const third = (await keys.here.rotate(id, 60_000))?.key ?? '';
  await open(third, 'by the third secret');
  await waitFor('the end of the first secret', () => closed.length === 2);
  expect(closed).toEqual(['by the first secret', 'by the first secret, while it is valid']);
  await keys.here.revoke(id);
  await waitFor('the end of the key', () => closed.includes('by the third secret'));
});
