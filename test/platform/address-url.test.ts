import { expect, test } from '@jest/globals';
import { addressUrl } from '../../platform/address-url.ts';

test.each([
  ['127.0.0.1', 'http://127.0.0.1:8787/'],
  ['::', 'http://[::]:8787/'],
  ['fd00::1', 'http://[fd00::1]:8787/'],
  ['localhost', 'http://localhost:8787/'],
])('%s is a URL that clients read', (host, expected) => {
  expect(new URL(addressUrl(host, 8787)).href).toBe(expected);
});
