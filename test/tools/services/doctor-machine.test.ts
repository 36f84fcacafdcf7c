import { expect, test } from '@jest/globals';
import { checkProxy } from '../../../tools/services/doctor/check-machine.ts';

test('the doctor reports a proxy that no call uses', () => {
  expect(checkProxy({ https_proxy: 'http://ann:secret@proxy:3128' })).toEqual([
    {
      check: 'proxy',
      status: 'warning',
      found: 'HTTPS_PROXY is set, and calls to providers do not use it',
      fix: 'Set NODE_USE_ENV_PROXY=1 too, where providers are reached through that proxy.',
    },
  ]);
  expect(checkProxy({ HTTPS_PROXY: 'http://proxy:3128', NODE_USE_ENV_PROXY: '1' })).toEqual([]);
  expect(checkProxy({ NO_PROXY: '127.0.0.1' })).toEqual([]);
});
