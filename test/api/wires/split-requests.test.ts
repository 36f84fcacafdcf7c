/** The body of a message batch as lines, however it arrives. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { splitRequests } from '../../../api/wires/anthropic-batches/split-requests.ts';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function split(text: string, size = 5, most = 10_000) {
  const { lines, rest } = splitRequests(inChunks(Buffer.from(text), size), most);
  const found: unknown[] = [];
  for await (const line of lines) {
    const json = Buffer.from(line).toString();
    expect(json.indexOf('\n')).toBe(json.length - 1);
    found.push(JSON.parse(json));
  }
  return { found, rest: rest() };
}

test('any body is cut into the requests that a parser of the whole finds, and the rest is the rest', async () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const rest = fc.dictionary(
    fc.string().filter((name) => name !== 'requests' && name !== '__proto__'),
    value,
    {
      maxKeys: 3,
    },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(value, { maxLength: 5 }),
      rest,
      fc.integer({ min: 1, max: 11 }),
      async (requests, other, size) => {
        for (const body of [
          { ...other, requests },
          { requests, ...other },
        ]) {
          for (const text of [JSON.stringify(body), JSON.stringify(body, null, 2)]) {
            const { found, rest: left } = await split(text, size);
            expect(found).toEqual(JSON.parse(text).requests);
            expect(left).toEqual(JSON.parse(JSON.stringify({ ...other, requests: [] })));
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('what separates requests may stand in their texts', async () => {
  const requests = ['a,b', '],}', '"', '\\', { text: ',]}"', list: [1, [2, '[']] }];
  for (const size of [1, 3, 100]) {
    expect((await split(JSON.stringify({ requests }), size)).found).toEqual(requests);
  }
});

describe('a body is refused', () => {
  test.each([
    ['that ends early', '{"requests": [{"a": 1}', 'invalid_json'],
    ['with a request that is empty', '{"requests": [1,,2]}', 'invalid_json'],
    ['with a comma behind the last', '{"requests": [1,]}', 'invalid_json'],
    ['that is no JSON beside its requests', '{"requests": [1] x}', 'invalid_json'],
    ['that closes more than it opens', '{"requests": [1]}}', 'invalid_json'],
    ['without requests', '{"other": [1]}', 'invalid_request'],
    ['whose requests are no list', '{"requests": {"a": [1]}}', 'invalid_request'],
    ['that is too deep', `{"requests": [${'['.repeat(200)}`, 'invalid_request'],
    ['with a request that is too long', `{"requests": ["${'x'.repeat(60)}"]}`, 'body_too_large'],
    ['with too much beside its requests', `{"a": "${'x'.repeat(70_000)}"`, 'body_too_large'],
  ])('%s', async (_, text, code) => {
    await expect(split(text, 1_000, 50)).rejects.toMatchObject({ code });
  });
});
