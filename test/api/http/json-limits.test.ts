import { expect, test } from '@jest/globals';
import { jsonFault } from '../../../contracts/json-limits.ts';
import { createRandom } from '../../harness/random.ts';

const NO_LIMIT = { depth: Number.POSITIVE_INFINITY, values: Number.POSITIVE_INFINITY };
const faultOf = (text: string, limits = {}) => jsonFault(Buffer.from(text), { ...NO_LIMIT, ...limits });
/** The lowest limit that the text meets. */
const least = (text: string, limit: 'depth' | 'values') => {
  let most = 0;
  while (faultOf(text, { [limit]: most }) !== null) most += 1;
  return most;
};
const depth = (text: string) => least(text, 'depth');

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

test('the depth equals that of the parsed value, for random values', () => {
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
  const walked = (node: unknown): number =>
    typeof node === 'object' && node !== null ? 1 + Math.max(0, ...Object.values(node).map(walked)) : 0;
  for (let round = 0; round < 500; round += 1) {
    const tree = value(6);
    expect(depth(JSON.stringify(tree))).toBe(walked(tree));
  }
});

test('eight megabytes of brackets are refused at the first bracket over the limit', () => {
  expect(faultOf('['.repeat(8 * 1024 * 1024), { depth: 100 })).toBe('depth');
});

test.each([
  ['"a,[{"', 0],
  ['{}', 1],
  ['[1,2,3]', 3],
  ['{"a":"x,y","b":[{},{}]}', 6],
])('%s costs %d values', (text, expected) => {
  expect(least(text, 'values')).toBe(expected);
});

test('half a character is found exactly in the texts whose parsed value has one', () => {
  const random = createRandom(20_261_128);
  const pieces = ['\\ud83d', '\\ude00', '\\uD83D\\uDE00', '\\\\', '\\"', '\\n', 'a', '€', 'ud800', '\\u0041'];
  for (let round = 0; round < 2_000; round += 1) {
    const inside = Array.from({ length: random.between(0, 6) }, () => pieces[random.between(0, 9)]).join('');
    const text = `{"${inside}":["${inside}"]}`;
    const isWhole = Object.keys(JSON.parse(text)).every((key) => key.isWellFormed());
    expect([text, faultOf(text)]).toEqual([text, isWhole ? null : 'surrogate']);
  }
});
