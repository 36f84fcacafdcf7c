/** An answer that is whole ends, whatever its server does with the connection afterwards. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { callOf, errorOf, finishOf, hear } from './hear.ts';
import { events, named } from './odd-answer.ts';
import { choice, end, hi } from './odd-chunks.ts';

const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 };
const google = (text: string, finishReason?: string) => ({
  candidates: [{ content: { parts: [{ text }] }, ...(finishReason === undefined ? {} : { finishReason }) }],
});

const ANSWERS = {
  'openai-chat': events(hi, end, { choices: [], usage }),
  'anthropic-messages': named(
    { type: 'message_start', message: { usage: { input_tokens: 9 } } } as { type: string },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'Hi' } } as {
      type: string;
    },
    { type: 'content_block_stop', index: 0 } as { type: string },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } } as {
      type: string;
    },
  ),
  google: events({
    ...google('Hi', 'STOP'),
    usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 4, totalTokenCount: 13 },
  }),
} as const;

type Wire = keyof typeof ANSWERS;
const WIRES = Object.keys(ANSWERS) as Wire[];

let server: Server;
let url: string;
/** What is sent, and what happens then; the path of the request tells which. */
const scripts = new Map<string, { readonly body: string; readonly after: 'reset' | 'comments' | 'more' }>();

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const name = request.url?.split('/')[1] ?? '';
    const { body = '', after = 'reset' } = scripts.get(name) ?? {};
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(body, () => {
      if (after === 'reset') setTimeout(() => response.socket?.resetAndDestroy(), 50);
      if (after === 'more') setTimeout(() => response.end(events(choice({ content: ' there' }), end)), 2_500);
      if (after !== 'comments') return;
      const ping = setInterval(() => response.write(': ping\n\n'), 100);
      response.once('close', () => clearInterval(ping));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function listen(
  wire: Wire,
  script: { readonly body: string; readonly after: 'reset' | 'comments' | 'more' },
) {
  const name = `${wire}-${scripts.size}`;
  scripts.set(name, script);
  return hear(adapterFor(wire, simulatedConfig(wire, `${url}/${name}`)), callOf({}));
}

describe.each(WIRES)('%s', (wire) => {
  // https://github.com/maximhq/bifrost/issues/6784, https://github.com/BerriAI/litellm/issues/33404
  test.each(['reset', 'comments'] as const)('a whole answer ends before %s', async (after) => {
    const heard = await listen(wire, { body: ANSWERS[wire], after });
    expect(heard.error).toBeUndefined();
    expect(heard.text).toBe('Hi');
    expect(finishOf(heard)).toMatchObject({ reason: 'stop', usage: { inputTokens: 9, outputTokens: 4 } });
  });

  test('one that is not whole is cut', async () => {
    const body =
      wire === 'google'
        ? events(google('Hi'))
        : ANSWERS[wire].split(/(?=(?:event: message_delta|data: [^\n]*finish_reason":"stop))/)[0];
    const heard = await listen(wire, { body: body ?? '', after: 'reset' });
    expect([heard.text, errorOf(heard)?.code]).toEqual(['Hi', 'provider_stream_cut']);
  });
});

test('a server that sends a reason with every chunk may pause', async () => {
  const body = events(choice({ content: 'H' }, 'stop'), choice({ content: 'i' }, 'stop'));
  const heard = await listen('openai-chat', { body, after: 'more' });
  expect([heard.error, heard.text, finishOf(heard)?.reason]).toEqual([undefined, 'Hi there', 'stop']);
});
