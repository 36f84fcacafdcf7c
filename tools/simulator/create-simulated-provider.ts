/**
 * A model provider for tests and for a first look: a real HTTP server in the formats of OpenAI (Responses and chat
 * completions), Anthropic, Google and Cohere. Its text depends only on the request. It counts the tokens that it
 * generates for each API key, and shows any fault on command (`/_sim`). It has the batch APIs of OpenAI and Anthropic.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import { messageSchema, outputSchema, toolChoiceSchema, toolSchema } from '../../contracts/content.ts';
import { BatchApis, type BatchSettings } from './batches/batch-apis.ts';
import { Calls } from './calls.ts';
import { answerEmbeddings } from './embeddings.ts';
import { readBody, sendJson } from './exchange.ts';
import { Faults, faultSchema } from './faults.ts';
import { openJournal } from './journal.ts';
import { Leniency, lenientSchema } from './leniency.ts';
import { RateLimits, rateLimitSchema } from './rate-limits.ts';
import { type Model, serveCall } from './serve-call.ts';
import { truthOf } from './true-text.ts';
import { anthropicWire } from './wires/anthropic-wire.ts';
import { chatWire } from './wires/chat-wire.ts';
import { cohereWire } from './wires/cohere-wire.ts';
import { googleWire } from './wires/google-wire.ts';
import { responsesWire, serveStoredResponse } from './wires/responses-wire.ts';

const WIRES = [responsesWire, chatWire, anthropicWire, googleWire, cohereWire];

const textSchema = z.object({
  system: z.string().optional(),
  messages: z.array(messageSchema),
  tools: z.array(toolSchema).optional(),
  toolChoice: toolChoiceSchema.optional(),
  output: outputSchema.optional(),
});

export interface SimulatedProvider {
  readonly url: string;
  stop(): Promise<void>;
}

export async function createSimulatedProvider({
  host = '127.0.0.1',
  port = 0,
  journal,
  batches: batchSettings = {},
}: {
  host?: string;
  port?: number;
  /** A file to which the bill is appended, line by line. */
  journal?: string | undefined;
  batches?: BatchSettings;
} = {}): Promise<SimulatedProvider> {
  const calls = new Calls(journal === undefined ? undefined : openJournal(journal));
  const model: Model = { calls, faults: new Faults(), limits: new RateLimits(), leniency: new Leniency() };
  const batches = new BatchApis(model, batchSettings);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://simulated');
    const { pathname: path } = url;
    if (await batches.serve(request, response, url)) return;
    const wire = request.method === 'POST' ? WIRES.find((own) => own.owns(path)) : undefined;
    const body = request.method === 'POST' ? await readBody(request) : undefined;
    if (body instanceof SyntaxError) {
      const message = wire?.brokenBody ?? body.message;
      return sendJson(response, 400, wire?.refusal(400, { message }) ?? { error: { message } });
    }
    if (path.startsWith('/_sim/')) {
      const route = `${request.method} ${path}`;
      const result = batches.control(route, body) ?? control(model, route, body);
      if (result !== undefined) return sendJson(response, 200, result);
    } else if (await serveStoredResponse(model, request, response, url)) return;
    else if (request.method === 'POST') {
      const embeddings = answerEmbeddings(path, body);
      if (embeddings !== undefined) return sendJson(response, 200, embeddings);
      if (wire !== undefined) return serveCall(wire, model, { request, response, path, body });
    }
    sendJson(response, 404, { error: { message: `No ${request.method} ${path} here.` } });
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

/** @returns the answer to a control request; undefined where there is no such request. */
function control({ calls, faults, limits, leniency }: Model, route: string, body: unknown): unknown {
  switch (route) {
    case 'GET /_sim/calls':
      return calls.list();
    case 'POST /_sim/received':
      return calls.received(z.object({ text: z.string() }).parse(body).text);
    case 'POST /_sim/asked':
      return calls.asked(z.object({ text: z.string().min(1) }).parse(body).text);
    case 'GET /_sim/keys':
      return calls.byKey();
    case 'DELETE /_sim/calls':
      calls.clear();
      return {};
    case 'POST /_sim/release':
      calls.release();
      return {};
    case 'POST /_sim/faults':
      faults.add(faultSchema.parse(body));
      return {};
    case 'DELETE /_sim/faults':
      faults.clear();
      return {};
    case 'POST /_sim/limits':
      limits.add(rateLimitSchema.parse(body));
      return {};
    case 'DELETE /_sim/limits':
      limits.clear();
      return {};
    case 'POST /_sim/lenient':
      leniency.add(lenientSchema.parse(body));
      return {};
    case 'DELETE /_sim/lenient':
      leniency.clear();
      return {};
    case 'POST /_sim/text':
      return truthOf(textSchema.parse(body));
    default:
      return undefined;
  }
}
