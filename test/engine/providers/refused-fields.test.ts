/**
 * Hosts of Anthropic's format that refuse what they do not know: https://github.com/decolua/9router/issues/1468,
 * https://github.com/anthropics/claude-code/issues/13770,
 * https://github.com/anthropics/claude-agent-sdk-python/issues/694.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { Provider } from '../../../engine/providers/provider.ts';
import { adapterFor } from './adapter-for.ts';
import { readFixture } from './fixture-server.ts';
import { callOf, errorOf, hear } from './hear.ts';

interface Received {
  readonly betas: string | undefined;
  readonly body: Record<string, unknown>;
}

const received: Received[] = [];
const refusals: string[] = [];
let server: Server;
let provider: Provider;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { 'anthropic-beta': betas } = request.headers;
    received.push({ betas: betas?.toString(), body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
    const message = refusals.shift();
    if (message === undefined) {
      const { status, headers, body } = readFixture('anthropic-messages', 'plain');
      response.writeHead(status, headers).end(body);
      return;
    }
    const error = { type: 'error', error: { type: 'invalid_request_error', message } };
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = adapterFor('anthropic-messages', { wire: 'anthropic-messages', baseUrl });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received.length = 0;
  refusals.length = 0;
});

const FORMAT = 'anthropic-messages' as const;
const INPUT: Partial<GenerationInput> = {
  tools: [
    {
      name: 'find',
      parameters: { type: 'object', properties: {} },
      native: {
        format: FORMAT,
        fields: { eager_input_streaming: true, cache_control: { type: 'ephemeral', ttl: '1h' } },
      },
    },
  ],
  native: {
    format: FORMAT,
    fields: { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
    betas: ['oauth-2025-04-20', 'context-management-2025-06-27'],
  },
};
const ask = () => hear(provider, callOf(INPUT, { model: 'claude-opus-4-8' }));

test('what a refusal names is left out, one after the other', async () => {
  refusals.push(
    'Unexpected value(s) `oauth-2025-04-20` for the `anthropic-beta` header.',
    'context_management: Extra inputs are not permitted',
    'tools.0.custom.eager_input_streaming: Extra inputs are not permitted',
    'tools.0.custom.cache_control.ephemeral.ttl: Extra inputs are not permitted',
  );
  expect((await ask()).error).toBeUndefined();
  const last = received.at(-1);
  expect(received).toHaveLength(5);
  expect(last?.betas).toBe('context-management-2025-06-27');
  expect(last?.body).not.toHaveProperty('context_management');
  expect(last?.body['tools']).toEqual([
    {
      name: 'find',
      input_schema: { type: 'object', properties: {} },
      cache_control: { type: 'ephemeral' },
    },
  ]);
});

test.each([
  'messages.0.content: Extra inputs are not permitted',
  'mcp_servers: Extra inputs are not permitted',
  'max_tokens: Input should be a valid integer',
])('what the answer needs stays, and the refusal is the answer: %s', async (message) => {
  refusals.push(message);
  const heard = await ask();
  expect([errorOf(heard)?.code, received.length]).toEqual(['provider_bad_request', 1]);
});

test('a host that always refuses is asked a few times only', async () => {
  refusals.push(
    ...Array.from(
      { length: 9 },
      () => 'invalid beta flag; context_management: Extra inputs are not permitted',
    ),
  );
  expect(errorOf(await ask())?.code).toBe('provider_bad_request');
  expect(received.length).toBeLessThanOrEqual(5);
});
