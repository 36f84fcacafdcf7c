/** Addresses that no request may name, before any delivery tries them. */
import { expect, test } from '@jest/globals';
import { assertMayCall } from '../../../api/generations/seal-webhook.ts';
import { requestWebhookSchema } from '../../../contracts/webhooks.ts';

const may = (url: string, allowPrivateNetwork = false) =>
  assertMayCall({ webhooks: { allowPrivateNetwork } }, url, 'webhook.url');

test.each([
  'http://example.com/',
  'https://127.0.0.1/',
  'https://10.0.0.1/',
  'https://169.254.169.254/latest',
  'https://[::1]/',
  'https://[::ffff:10.0.0.1]/',
  'https://[fd00::1]/',
  'https://2130706433/',
  'https://0x7f.1/',
])('%s is refused, and the error names the setting', (url) => {
  expect(() => may(url)).toThrow(/webhook\.url: expected .*webhooks\.allowPrivateNetwork/);
  expect(() => may(url, true)).not.toThrow();
});

test('a public address is taken', () => {
  expect(() => may('https://example.com/hook')).not.toThrow();
  expect(() => may('https://[2606:4700::1111]/')).not.toThrow();
});

test.each([
  { url: 'ftp://example.com/' },
  { url: 'https://user:secret@example.com/' },
  { url: `https://example.com/${'a'.repeat(3_000)}` },
  { url: 'https://example.com/', secret: 'short' },
  { url: 'https://example.com/', events: [] },
  { url: 'https://example.com/', events: ['response.begun'] },
])('%j is no webhook', (webhook) => {
  expect(requestWebhookSchema.safeParse(webhook).success).toBe(false);
});
