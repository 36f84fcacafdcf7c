/** A vendor that refuses requests in given words, and answers those that come after. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFixture } from './fixture-server.ts';

interface Received {
  readonly betas: string | undefined;
  readonly body: Record<string, unknown>;
}

interface RefusingVendor {
  readonly received: Received[];
  /** The words of the next refusals, the next one first. */
  readonly refusals: string[];
  /** @returns its address. */
  start(): Promise<string>;
  stop(): void;
}

export function refusingVendor(): RefusingVendor {
  const received: Received[] = [];
  const refusals: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { 'anthropic-beta': betas } = request.headers;
    received.push({ betas: betas?.toString(), body: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
    const message = refusals.shift();
    if (message === undefined) {
      const wire = request.url?.includes('/messages') === true ? 'anthropic-messages' : 'openai-chat';
      const { status, headers, body } = readFixture(wire, 'plain');
      response.writeHead(status, headers).end(body);
      return;
    }
    const error = { type: 'error', error: { type: 'invalid_request_error', message } };
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error));
  });
  return {
    received,
    refusals,
    async start() {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
