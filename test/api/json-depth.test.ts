import { expect, test } from '@jest/globals';
import { jsonDepth } from '../../api/json-depth.ts';
import { createRandom } from '../harness/random.ts';

const depth = (text: string, enough = Number.POSITIVE_INFINITY) => jsonDepth(Buffer.from(text), enough);

test.each([
  ['1', 0],
  ['{}', 1],
  ['[[],[[]]]', 3],
  ['{"a":{"b":[1]}}', 3],
  ['{"a":"[[[["}', 1],
  ['{"a":"\\"[["}', 1],
  ['{"a":"\\\\","b":[[]]}', 3],
  ['{"a":"\\\\\\"[[["}', 1],
  ['"unfinished [[', 0],
])('the depth of %s is %d', (text, expected) => {
  expect(depth(text)).toBe(expected);
});

test('it agrees with a walk over what was parsed, for made-up values', () => {
  const random = createRandom(20_260_101);
  const pieces = ['"', '\\', '[', ']', '{', '}', 'a', '€'];
  const text = () =>
    Array.from({ length: random.between(0, 6) }, () => pieces[random.between(0, 7)]).join('');
  const value = (left: number): unknown => {
    const kind = left === 0 ? 0 : random.between(0, 2);
    const size = random.between(0, 3);
    if (kind === 0) return text();
    if (kind === 1) return Array.from({ length: size }, () => value(left - 1));
    return Object.fromEntries(Array.from({ length: size }, () => [text(), value(left - 1)]));
  };
  const walked = (one: unknown): number =>
    typeof one === 'object' && one !== null ? 1 + Math.max(0, ...Object.values(one).map(walked)) : 0;
  for (let round = 0; round < 500; round += 1) {
    const one = value(6);
    expect(depth(JSON.stringify(one))).toBe(walked(one));
  }
});

test('eight megabytes of brackets are refused by the first that is too many', () => {
  expect(depth('['.repeat(8 * 1024 * 1024), 100)).toBe(101);
});
