import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkedKey, keyPart } from '../../../platform/object-store/object-store.ts';

test('any text becomes one name of a key, and no two texts the same one', () => {
  const names = new Map<string, string>();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const name = keyPart(text);
      expect(name).not.toContain('/');
      expect(checkedKey(`a/${name}/b`)).toBe(`a/${name}/b`);
      expect(names.get(name) ?? text).toBe(text);
      names.set(name, text);
    }),
  );
  for (const text of ['', '.', '..', '../x', '=x', '~2e', 'a/b', 'x'.repeat(1_000)]) {
    expect(checkedKey(keyPart(text))).toBe(keyPart(text));
  }
  expect(new Set(['', '.', '~2e', '..', 'a/b', 'a~2fb'].map(keyPart)).size).toBe(6);
});
