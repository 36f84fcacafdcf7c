import { expect, test } from '@jest/globals';
import { waitForAll } from '../../../../tools/services/programs/find-programs.js';

test('a program that is not found is reported only when no other is being installed any more', async () => {
  const installation = Promise.withResolvers<string>();
  let isReported = false;
  const all = waitForAll([Promise.reject(new Error('no build')), installation.promise]);
  const reported = all.catch(() => {
    isReported = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isReported).toBe(false);
  installation.resolve('/usr/bin/redis-server');
  await reported;
  await expect(all).rejects.toThrow('no build');
});

test('the programs come in the order of their searches', async () => {
  expect(await waitForAll([Promise.resolve('a'), 'b'])).toEqual(['a', 'b']);
});
