/** Files of text reach every vendor: https://github.com/trpc-group/trpc-agent-go/issues/1816 and others. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { messageSchema } from '../../../contracts/content.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, errorOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

const WIRES: readonly WireFamily[] = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'google',
  'cohere',
];
const base64 = (text: string) => Buffer.from(text).toString('base64');

async function sent(wire: WireFamily, file: { readonly type: string; readonly name?: string }) {
  server.requests.length = 0;
  server.play(readFixture(wire, 'plain'));
  const name = file.name === undefined ? {} : { name: file.name };
  const url = `data:${file.type};base64,${base64('{"boats":2}')}`;
  const message = messageSchema.parse({ role: 'user', content: [{ type: 'file', url, ...name }] });
  const provider = adapterFor(wire, simulatedConfig(wire, server.url));
  const heard = await hear(provider, callOf({ messages: [message] }, { model: 'model-1' }));
  return { heard, body: JSON.stringify(server.requests[0]?.body ?? '') };
}

test.each([
  { type: 'text/markdown' },
  { type: 'text/plain;charset=utf-8' },
  { type: 'application/json' },
  { type: 'application/octet-stream', name: 'boats.json' },
])('%j is read by all', async (file) => {
  for (const wire of WIRES) {
    const { heard, body } = await sent(wire, file);
    expect([wire, errorOf(heard)?.message]).toEqual([wire, undefined]);
    const isRead = body.includes(String.raw`{\"boats\":2}`) || body.includes(base64('{"boats":2}'));
    expect([wire, isRead, /octet-stream|application\/json|markdown|charset/.test(body)]).toEqual([
      wire,
      true,
      false,
    ]);
  }
});

test('another file is none of text', async () => {
  const { heard } = await sent('cohere', { type: 'application/pdf' });
  expect(errorOf(heard)?.code).toBe('unsupported_by_model');
});
