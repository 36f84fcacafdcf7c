import { expect, test } from '@jest/globals';
import { redact } from '../../contracts/redact.ts';
import { growthOf } from '../harness/growth.ts';

test.each([
  ['Incorrect API key provided: sk-proj-0123456789abc.', 'Incorrect API key provided: [key].'],
  ['sk-ant-api03-**********wxyz is revoked', '[key] is revoked'],
  ['key=AIzaSyA-0123456789_abc&alt=sse', 'key=[key]&alt=sse'],
  ['the token ya29.a0AfH6SMB-xyz_123 has expired', 'the token [key] has expired'],
  ['AKIAIOSFODNN7EXAMPLE is not known', '[key] is not known'],
  ['Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl, expired', 'Bearer [key], expired'],
  ['Bearer eyJhbGciOiJIUzI1NiJ9 is cut', 'Bearer [key] is cut'],
])('takes keys of any account out of: %s', (message, shown) => {
  expect(redact(message, [])).toBe(shown);
});

test('takes our own keys out, and leaves words and placeholders', () => {
  const message = 'The key 0123456789abcdef is wrong; none was expected. The task-list of sk- is fine.';
  expect(redact(message, ['0123456789abcdef', 'none'])).toBe(message.replace('0123456789abcdef', '[key]'));
});

test.each(['sk-', 'eyJ-', 'eyJ0eXAiOi.', 'AIza', 'ya29.', 'AKIA'])(
  'takes time in proportion: many times %j',
  (fragment) => {
    const growth = growthOf((chars) => {
      const message = fragment.repeat(chars / fragment.length);
      return () => redact(message, ['0123456789abcdef']);
    }, 60_000);
    expect(growth).toBeLessThan(2.5);
  },
);

test.each(['sk-', 'eyJ-', 'AIza', 'ya29.', 'AKIA'])(
  'reads 8 million characters without an end: %j',
  (fragment) => {
    const long = `${fragment}${'A'.repeat(8_000_000)}`;
    expect(redact(`${long}. Then sk-0123456789 is wrong.`, [])).toMatch(/Then \[key\] is wrong\.$/);
  },
);
