/**
 * A model provider for tests and for a first look: a real HTTP server in OpenAI's and Anthropic's formats. Its text
 * depends only on the request; it counts what it was made to generate; it shows any fault on command (`/_sim`).
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { createAnthropicWire } from './anthropic-wire.ts';
import { createCalls } from './calls.ts';
import { readBody, sendJson } from './exchange.ts';
import { createFaults, faultSchema } from './faults.ts';
import { createOpenAiWire } from './openai-wire.ts';
import { scriptFor } from './true-text.ts';

const textSchema = z.object({
  system: z.string().optional(),
  messages: z.array(z.object({ role: z.enum(['user', 'assistant']), content: z.string() })),
});

export interface SimulatedProvider {
  readonly url: string;
  stop(): Promise<void>;
}

export async function createSimulatedProvider({
  host = '127.0.0.1',
  port = 0,
}: {
  host?: string;
  port?: number;
} = {}): Promise<SimulatedProvider> {
  const calls = createCalls();
  const faults = createFaults();
  const wires = [createOpenAiWire(calls, faults), createAnthropicWire(calls, faults)];

  const control = async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<boolean> => {
    const what = `${request.method} ${path}`;
    if (what === 'GET /_sim/calls') sendJson(response, 200, calls.list());
    else if (what === 'DELETE /_sim/calls') {
      calls.clear();
      sendJson(response, 200, {});
    } else if (what === 'POST /_sim/faults') {
      faults.add(faultSchema.parse(await readBody(request)));
      sendJson(response, 201, {});
    } else if (what === 'DELETE /_sim/faults') {
      faults.clear();
      sendJson(response, 200, {});
    } else if (what === 'POST /_sim/text') {
      const { tokens } = scriptFor(textSchema.parse(await readBody(request)));
      sendJson(response, 200, { text: tokens.join(''), tokens: tokens.length });
    } else return false;
    return true;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://simulated');
    if (await control(request, response, url.pathname)) return;
    for (const wire of wires) if (await wire(request, response, url)) return;
    sendJson(response, 404, { error: { message: `No ${request.method} ${url.pathname} here.` } });
  };

  const server = createServer((request, response) => {
    const id = `req_${randomUUID().replaceAll('-', '')}`;
    response.setHeader('request-id', id).setHeader('x-request-id', id);
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 400, { error: { message: error instanceof Error ? error.message : 'failed' } });
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://${host}:${address.port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
