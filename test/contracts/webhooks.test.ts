import { expect, test } from '@jest/globals';
import { requestWebhookSchema } from '../../contracts/webhooks.ts';

test.each([
  ['no URL', 'x'],
  ['the URL of a file', 'file:///etc/passwd'],
  ['a URL with a password', 'https://user:secret@example.com/'],
])('a webhook has %s: that is refused, not a fault', (_, url) => {
  expect(requestWebhookSchema.safeParse({ url }).success).toBe(false);
});

test('a webhook has the URL of a server', () => {
  expect(requestWebhookSchema.safeParse({ url: 'https://example.com/hook?for=1' }).success).toBe(true);
});
