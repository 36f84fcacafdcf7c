/** Answers that are not quite of their format: what they say reaches the caller, once, or as the error that it is. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Provider } from '../../../engine/providers/provider.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, startFixtureServer } from './fixture-server.ts';
import { callOf, errorOf, finishOf, hear } from './hear.ts';
import type { OddAnswer } from './odd-answer.ts';
import { ODD_CHAT_ANSWERS } from './odd-chat-answers.ts';
import { ODD_CHAT_FORMS } from './odd-chat-forms.ts';
import { ODD_ERRORS } from './odd-errors.ts';
import { ODD_OTHER_ANSWERS } from './odd-other-answers.ts';
import { ODD_RESPONSE_EVENTS } from './odd-response-events.ts';
import { ODD_RESPONSES } from './odd-responses.ts';
import { ODD_TOOL_CALLS } from './odd-tool-calls.ts';

const ROWS = [
  ...ODD_TOOL_CALLS,
  ...ODD_CHAT_ANSWERS,
  ...ODD_CHAT_FORMS,
  ...ODD_ERRORS,
  ...ODD_OTHER_ANSWERS,
  ...ODD_RESPONSES,
  ...ODD_RESPONSE_EVENTS,
];
const WIRES = [...new Set(ROWS.map(({ wire }) => wire))];
let server: FixtureServer;
const adapters = new Map<string, Provider>();

beforeAll(async () => {
  server = await startFixtureServer();
  for (const wire of WIRES) adapters.set(wire, adapterFor(wire, simulatedConfig(wire, server.url)));
});
afterAll(() => server.stop());

function listen({ wire, before = [], tools }: OddAnswer) {
  const provider = adapters.get(wire);
  if (provider === undefined) throw new Error(wire);
  const question = { role: 'user', content: 'And now?' } as const;
  const offered = tools === undefined ? {} : { tools: tools.map((name) => ({ name, parameters: {} })) };
  const messages = before.length === 0 ? {} : { messages: [question, ...before, question] };
  return hear(provider, callOf({ ...messages, ...offered }));
}

const cases = ROWS.map((row) => [row.wire, row.says, row] as const);

test.each(cases)('%s: %s', async (_wire, _says, row) => {
  const { body, status = 200, type = 'text/event-stream', code, calls = [], usage } = row;
  const fixture = { status, headers: { 'content-type': type }, body: Buffer.from(body) };
  // What depends on how the connection cuts it would not do.
  for (const delivery of ['whole', { splitAt: Math.ceil(body.length / 2) }] as const) {
    // An error that is no event is seen only if it arrives by itself.
    const splitAt = body.lastIndexOf('\n{"error"') + 1;
    server.play(fixture, splitAt > 0 ? { splitAt } : delivery);
    const heard = await listen(row);
    expect([heard.text, heard.reasoning]).toEqual([row.text ?? '', row.reasoning ?? '']);
    if (code !== undefined) {
      expect(errorOf(heard)).toMatchObject({ code });
      expect(errorOf(heard)?.message).toContain(row.words ?? '');
      expect(errorOf(heard)?.retryAfterMs).toBe(row.retryAfterMs);
      continue;
    }
    expect(heard.error).toBeUndefined();
    expect(heard.calls.map(({ name, id, arguments: written }) => [name, id, JSON.parse(written)])).toEqual(
      calls.map(([name, id, written]) => [
        name,
        typeof id === 'string' ? id : expect.stringMatching(id),
        written,
      ]),
    );
    const parts = heard.events.flatMap((event) => (event.type === 'native-part' ? [event.value] : []));
    if (row.pictures !== undefined) {
      expect(parts).toEqual(row.pictures.map((url) => ({ type: 'image_url', image_url: { url } })));
    }
    const annotations = heard.events.filter(({ type }) => type === 'annotation');
    expect(annotations).toHaveLength(row.annotations ?? annotations.length);
    const finish = finishOf(heard);
    expect(finish?.reason).toBe(row.reason);
    if (usage === undefined) continue;
    const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } =
      finish?.usage ?? {};
    expect([inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens]).toEqual(usage);
  }
});

test('each row names where it was reported', () => {
  for (const { source } of ROWS) expect(source).toMatch(/^https:\/\/[a-z.]+\/./);
});
