/** What reaches a provider of what a caller asked, byte by byte. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from '../harness/stack.ts';

/** A vendor that refuses every call, in a message that begins with its status. */
const bodies: string[] = [];
const vendor = createServer(async (request, response) => {
  const pieces: Buffer[] = [];
  for await (const chunk of request) pieces.push(chunk);
  bodies.push(Buffer.concat(pieces).toString());
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { type: 'invalid_request_error', message: '400 no such thing' } }));
});
let stack: Stack;
beforeAll(async () => {
  vendor.listen(0, '127.0.0.1');
  await once(vendor, 'listening');
  const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  const provider = (wire: string, baseUrl: string) => ({ wire, baseUrl, apiKeyEnv: 'STUB_KEY' });
  stack = await startStack({
    env: { STUB_KEY: 'sk-stub-0123456789' },
    config: {
      providers: {
        'stub-chat': provider('openai-chat', url),
        'stub-responses': provider('openai-responses', url),
        'stub-messages': provider('anthropic-messages', url),
      },
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  vendor.closeAllConnections();
  vendor.close();
});
beforeEach(() => {
  bodies.splice(0);
});

const send = async (path: string, body: string) => {
  const response = await stack.api.send(path, { method: 'POST', body });
  return { status: response.status, text: await response.text() };
};
const LONG = '9223372036854775807';
const SCHEMA = `{"type":"object","properties":{"id":{"type":"integer","maximum":${LONG},"minimum":-${LONG}}}}`;

test.each(['stub-chat', 'stub-responses', 'stub-messages'])(
  'a 64-bit number in the arguments of an earlier call reaches %s with all its digits',
  async (provider) => {
    const turns = `{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"id":${LONG}}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"b"}]}`;
    const tools = `[{"name":"f","input_schema":{"type":"object"}}]`;
    await send(
      '/v1/messages',
      `{"model":"${provider}/m","max_tokens":90,"messages":[${turns}],"tools":${tools}}`,
    );
    expect(bodies[0]).toContain(LONG);
  },
);

describe('the 64-bit bounds of a tool', () => {
  test.each(['stub-chat', 'stub-responses', 'stub-messages'])(
    'reach %s with all their digits',
    async (provider) => {
      const model = `"model":"${provider}/claude-opus-4-6"`;
      for (const [path, body] of [
        [
          '/v1/chat/completions',
          `{${model},"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f","parameters":${SCHEMA}}}]}`,
        ],
        [
          '/v1/responses',
          `{${model},"input":"a","tools":[{"type":"function","name":"f","parameters":${SCHEMA}}]}`,
        ],
        [
          '/v1/messages',
          `{${model},"max_tokens":9,"messages":[{"role":"user","content":"a"}],"tools":[{"name":"f","input_schema":${SCHEMA}}]}`,
        ],
      ] as const) {
        bodies.splice(0);
        await send(path, body);
        expect([path, bodies[0]]).toEqual([
          path,
          expect.stringContaining(`"maximum":${LONG},"minimum":-${LONG}`),
        ]);
      }
    },
  );
});

describe('an effort', () => {
  const body = (more: object) =>
    JSON.stringify({
      model: 'stub-messages/claude-opus-4-6',
      max_tokens: 20_000,
      messages: [{ role: 'user', content: 'a' }],
      ...more,
    });

  test.each<{ thinking?: { type: string } }>([{}, { thinking: { type: 'disabled' } }])(
    'without thinking is passed on with what the client says of it (%j)',
    async (thinking) => {
      await send('/v1/messages', body({ output_config: { effort: 'low' }, ...thinking }));
      const upstream = JSON.parse(bodies[0] ?? '{}');
      expect(upstream.output_config).toEqual({ effort: 'low' });
      expect(upstream.thinking).toEqual(thinking.thinking);
    },
  );

  test('with thinking is passed on with it, and none is no effort', async () => {
    await send('/v1/messages', body({ output_config: { effort: 'high' }, thinking: { type: 'adaptive' } }));
    expect(JSON.parse(bodies[0] ?? '{}')).toMatchObject({
      output_config: { effort: 'high' },
      thinking: { type: 'adaptive' },
    });
    bodies.splice(0);
    await send('/v1/messages', body({}));
    expect(bodies[0]).not.toContain('effort');
  });

  test('that nobody knows is a 400 that names it', async () => {
    const { status, text } = await send('/v1/messages', body({ output_config: { effort: 'heroic' } }));
    expect([status, text]).toEqual([400, expect.stringContaining('output_config.effort')]);
    expect(bodies).toEqual([]);
  });
});

test.each(['stub-chat', 'stub-responses', 'stub-messages'])(
  'the refusal of %s has its status once',
  async (provider) => {
    const { text } = await send('/v1/responses', `{"model":"${provider}/claude-opus-4-6","input":"a"}`);
    expect(text).toContain('400: no such thing');
    expect(text).not.toContain('400: 400');
  },
);
