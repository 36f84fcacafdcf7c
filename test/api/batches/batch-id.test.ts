import { expect, test } from '@jest/globals';
import { batchIdFor } from '../../../api/batches/start-batch.ts';
import { generationIdFor } from '../../../api/generations/generation-id.ts';
import { LIMITS } from '../../../contracts/limits.ts';

const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key', scopes: [] };
const formats = ['openai', 'anthropic'] as const;

test.each(formats)('each of the longest keys names another batch (%s)', (format) => {
  const keyOf = (number: number) => `${number}`.padStart(LIMITS.idempotencyKeyChars, 'k');
  const ids = [1, 2, 3].map((number) => batchIdFor(caller, { format, idempotencyKey: keyOf(number) }));
  expect(new Set(ids).size).toBe(3);
  expect(batchIdFor(caller, { format, idempotencyKey: keyOf(1) })).toBe(ids[0]);
});

test.each(formats)('a key that no other request could have names no batch (%s)', (format) => {
  for (const idempotencyKey of ['', 'k'.repeat(LIMITS.idempotencyKeyChars + 1)]) {
    expect(() => batchIdFor(caller, { format, idempotencyKey })).toThrow(
      'Idempotency-Key: expected 1 to 255',
    );
  }
});

test('a key names one thing of each kind', () => {
  const idempotencyKey = 'night';
  const ids = formats.map((format) => batchIdFor(caller, { format, idempotencyKey }));
  const hexes = [...ids, generationIdFor(caller, idempotencyKey)].map((id) => id.replace(/^[a-z]+_/, ''));
  expect(new Set(hexes).size).toBe(3);
});
