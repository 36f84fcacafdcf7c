import { describe, expect, test } from '@jest/globals';
import { parseJson } from '../../contracts/json.ts';
import { seedOfChoice, seedSchema } from '../../contracts/seed.ts';

const parse = (digits: string) => seedSchema.safeParse(parseJson(digits));

describe('a seed', () => {
  test.each([
    '0',
    '-7',
    '9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
    '18446744073709551615',
  ])('keeps the digits of %s', (digits) => {
    const { data } = parse(digits);
    expect(JSON.stringify({ seed: data })).toBe(`{"seed":${digits}}`);
  });

  test.each([
    '18446744073709551616',
    '-9223372036854775809',
    '1.5',
    '1e400',
    '"7"',
    'null',
    '{"rawJSON":"7"}',
  ])('is not %s', (text) => {
    expect(parse(text).success).toBe(false);
  });

  test.each([
    ['7', 0, '7'],
    ['7', 2, '9'],
    ['-1', 1, '0'],
    ['9223372036854775806', 1, '9223372036854775807'],
    ['9007199254740991', 2, '9007199254740993'],
    ['18446744073709551615', 3, '18446744073709551612'],
  ])('%s is, for choice %i, %s', (seed, index, expected) => {
    const { data } = parse(seed);
    if (data === undefined) throw new Error('no seed');
    expect(JSON.stringify(seedOfChoice(data, index))).toBe(expected);
  });
});
