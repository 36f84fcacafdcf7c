import { expect, test } from '@jest/globals';
import { parseEventData, readServerEvents } from '../../../engine/providers/server-events.ts';

async function* piecesOf(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function eventsIn(stream: string, size = stream.length): Promise<[string | undefined, string][]> {
  const events: [string | undefined, string][] = [];
  for await (const { event, data } of readServerEvents(piecesOf(Buffer.from(stream), size))) {
    events.push([event, data]);
  }
  return events;
}

test('events are the same wherever the connection cuts them, in a character too', async () => {
  const stream = ': ping\n\nevent: a\ndata: {"x":"\u00e9\ud83d\ude00"}\n\ndata: one\r\ndata: two\r\n\r\n';
  const expected = [
    ['a', '{"x":"\u00e9\ud83d\ude00"}'],
    [undefined, 'one\ntwo'],
  ];
  for (const size of [1, 2, 3, 7, 64]) expect(await eventsIn(stream, size)).toEqual(expected);
});

test('the last event is read although its blank line is missing', async () => {
  expect(await eventsIn('data: a\n\ndata: b')).toEqual([
    [undefined, 'a'],
    [undefined, 'b'],
  ]);
});

test('the error of data that is no JSON does not quote it', () => {
  expect(() => parseEventData('{"secret')).toThrow(new SyntaxError('The data of an event is not JSON.'));
});

// https://github.com/NousResearch/hermes-agent/issues/58471
test.each(['data: ', '{"choices":', ' '])(
  'a stream without an end of its first line ends: %j',
  async (start) => {
    let bytes = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(start);
      for (
        const chunk = Buffer.alloc(1024 * 1024, start === ' ' ? ' ' : 'x');
        bytes < 1e9;
        bytes += chunk.length
      ) {
        yield chunk;
      }
    }
    const read = async () => {
      for await (const event of readServerEvents(endless())) expect(event).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ code: 'provider_malformed' });
    expect(bytes).toBeLessThan(32 * 1024 * 1024);
  },
);
