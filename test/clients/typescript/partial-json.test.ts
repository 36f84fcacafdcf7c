/** The value of a JSON answer while it arrives. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PartialJson, partialJson } from '../../../clients/typescript/partial-json.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';

function valuesAfter(parts: readonly string[]): unknown[] {
  const json = new PartialJson();
  return parts.map((part) => {
    json.push(part);
    return structuredClone(json.value);
  });
}

describe('JSON in parts', () => {
  test('grows with every part', () => {
    expect(valuesAfter(['{"na', 'me":"Li', 'sbon","days":[1', ',2', ']', ',"ok":tr', 'ue}'])).toEqual([
      {},
      { name: 'Li' },
      { name: 'Lisbon', days: [] },
      { name: 'Lisbon', days: [1] },
      { name: 'Lisbon', days: [1, 2] },
      { name: 'Lisbon', days: [1, 2] },
      { name: 'Lisbon', days: [1, 2], ok: true },
    ]);
  });

  test('is at its end what JSON.parse returns, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.array(fc.nat(20), { minLength: 1 }),
        fc.boolean(),
        (value, cuts, isWide) => {
          const text = `${JSON.stringify(value, null, isWide ? 2 : 0)} `;
          const json = new PartialJson();
          let at = 0;
          for (let part = 0; at < text.length; part += 1) {
            const length = 1 + (cuts[part % cuts.length] ?? 0);
            json.push(text.slice(at, at + length));
            at += length;
          }
          expect(json.value).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  test('escapes that are cut in two, and the key __proto__', () => {
    const [, value] = valuesAfter(['{"__proto__":{"a":1},"s":"\\ud8', '3d\\ude00\\n\\"\\/"}']);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"s":"😀\\n\\"/"}');
  });

  test('what is no JSON changes nothing more', () => {
    expect(valuesAfter(['{"a":1,', ' oh', ' "b":2}'])).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }]);
  });
});

test('a reset begins another value', async () => {
  const event = (body: object) => ({ seq: 0, at: 0, ...body }) as GenerationEvent;
  const events = [
    event({ type: 'text-delta', text: '{"a":1}' }),
    event({ type: 'text-reset', reason: 'The answer did not fit its schema.' }),
    event({ type: 'text-delta', text: '{"b":' }),
    event({ type: 'text-delta', text: '2}' }),
  ];
  const values: unknown[] = [];
  for await (const value of partialJson(events)) values.push(structuredClone(value));
  expect(values).toEqual([{ a: 1 }, {}, { b: 2 }]);
});
