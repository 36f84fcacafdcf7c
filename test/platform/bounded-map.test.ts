import { expect, test } from '@jest/globals';
import { BoundedMap } from '../../platform/bounded-map.ts';

test('a full map evicts the entry that was used least recently', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  expect(map.get('a')).toBe(1);
  map.set('c', 3);
  expect(map.size).toBe(2);
  expect(map.get('b')).toBeUndefined();
  expect(map.get('a')).toBe(1);
  expect(map.get('c')).toBe(3);
});

test('setting a known key changes its value and evicts nothing', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  expect([map.get('a'), map.get('b')]).toEqual([3, 2]);
  expect(map.delete('a')).toBe(true);
  expect(map.get('a')).toBeUndefined();
});

test('a value is created once; a failed creation is not stored', () => {
  const map = new BoundedMap<string, number>(2);
  const fail = () => {
    throw new Error('not now');
  };
  expect(() => map.getOrCreate('a', fail)).toThrow('not now');
  expect(map.getOrCreate('a', () => 1)).toBe(1);
  expect(map.getOrCreate('a', fail)).toBe(1);
});
