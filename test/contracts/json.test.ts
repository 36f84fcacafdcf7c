import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { HostileLengthError, isExactNumber, parseJson } from '../../contracts/json.ts';

test.each([
  '{"maximum":9223372036854775807,"minimum":-9223372036854775808}',
  '[18446744073709551615,{"a":[12345678901234567890]}]',
  '{"enum":[9007199254740993],"maximum":1e400}',
])('numbers that no JavaScript number equals keep their digits: %s', (text) => {
  expect(JSON.stringify(parseJson(text))).toBe(text);
  expect(JSON.stringify(JSON.parse(text))).not.toBe(text);
});

test('all other numbers are numbers', () => {
  const text = '[0.69999999999999996,1e3,9007199254740991,1234567890123456,-0.5,1e21]';
  expect(parseJson(text)).toEqual(JSON.parse(text));
  expect(isExactNumber(parseJson('9223372036854775807'))).toBe(true);
  expect(isExactNumber({ rawJSON: '1' })).toBe(false);
});

test('text that is no JSON is refused as JSON.parse refuses it', () => {
  for (const text of ['', '{', '{"a":12345678901234567890', '01234567890123456789']) {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  }
});

test.each([
  '{"input":{"length":{"toString":1}}}',
  '{"input":{"length":{"valueOf":{},"toString":null}}}',
  '[[{"input":{"\\u006cength":{"to\\u0053tring":[]}}}]]',
  '{"input":{"size":{"toString":1}}}',
])('a length that a schema would throw at is refused: %s', (text) => {
  expect(() => parseJson(text)).toThrow(HostileLengthError);
});

test('without such a length, no bound of a schema throws', () => {
  const bounded = z.strictObject({ input: z.string().max(5).or(z.array(z.string()).max(2)) });
  for (const text of ['{"input":{"length":{"a":1}}}', '{"input":{"length":{}}}', '{"input":{"toString":1}}'])
    expect(bounded.safeParse(parseJson(text)).success).toBe(false);
  expect(() => bounded.safeParse(JSON.parse('{"input":{"length":{"toString":1}}}'))).toThrow(TypeError);
});
