/**
 * Deltas that end within a character: https://github.com/elie222/rakazo/issues/416,
 * https://github.com/elizaOS/eliza/issues/30904.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ProviderEvent } from '../../../engine/providers/provider.ts';
import { withWholeCharacters } from '../../../engine/providers/whole-characters.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';
import { DONE, events } from './odd-answer.ts';
import { callPart, choice } from './odd-chunks.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

const [HIGH, LOW] = ['\ud83d', '\ude00'];
const FACE = HIGH + LOW;
const USAGE = { type: 'usage', usage: {} } as ProviderEvent;
const cursor = (textChars: number) => ({ responseId: 'r', sequenceNumber: textChars, textChars });
const text = (own: string, more: object = {}): ProviderEvent => ({ type: 'text', text: own, ...more });
const call = (index: number, written: string): ProviderEvent => ({
  type: 'tool-call',
  index,
  id: `${index}`,
  name: 'say',
  arguments: written,
});

async function whole(sent: readonly ProviderEvent[]): Promise<ProviderEvent[]> {
  async function* stream() {
    yield* sent;
  }
  const heard: ProviderEvent[] = [];
  for await (const event of withWholeCharacters(stream())) heard.push(event);
  return heard;
}

test('a half waits for the other, and the cursor behind both covers them', async () => {
  const sent = [text(`a${HIGH}`, { cursor: cursor(2) }), USAGE, text(`${LOW}b`, { cursor: cursor(4) })];
  expect(await whole(sent)).toEqual([USAGE, text(`a${FACE}b`, { cursor: cursor(4) })]);
});

test.each([
  ['the end', [text(`a${HIGH}`)], [text('a\ufffd')]],
  ['a call', [text(HIGH), call(0, '{}')], [text('\ufffd'), call(0, '{}')]],
  ['another call', [call(0, HIGH), call(1, '{}')], [call(0, '\ufffd'), call(1, '{}')]],
  ['nothing', [text(LOW)], [text('\ufffd')]],
])('a half beside %s is a character that all can read', async (_what, sent, readable) => {
  expect(await whole(sent)).toEqual(readable);
});

test('a vendor that cuts an answer within its characters gets through to clients of any language', async () => {
  const body = events(
    choice({ reasoning_content: HIGH }),
    choice({ reasoning_content: LOW }),
    choice({ content: `Hi ${HIGH}` }),
    choice({ content: LOW }),
    choice({ tool_calls: [callPart(0, 'a', { name: 'say', arguments: `{"a":"${HIGH}` })] }),
    choice({ tool_calls: [callPart(0, undefined, { arguments: `${LOW}"}` })] }),
    choice({}, 'tool_calls'),
    DONE,
  );
  server.play({ status: 200, headers: { 'content-type': 'text/event-stream' }, body: Buffer.from(body) });
  const heard = await hear(adapterFor('openai-chat', simulatedConfig('openai-chat', server.url)), callOf({}));
  expect([heard.reasoning, heard.text, heard.calls[0]?.arguments]).toEqual([
    FACE,
    `Hi ${FACE}`,
    `{"a":"${FACE}"}`,
  ]);
  for (const event of heard.events) {
    expect(Object.values(event).every((own) => typeof own !== 'string' || own.isWellFormed())).toBe(true);
  }
});
