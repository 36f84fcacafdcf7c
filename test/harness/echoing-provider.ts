/** A vendor at its worst: it refuses every call, and quotes the whole request with the key in its error. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EchoingProvider {
  readonly url: string;
  /** How often it quoted a request. */
  readonly echoed: number;
  stop(): Promise<void>;
}

export async function startEchoingProvider(status: number): Promise<EchoingProvider> {
  let echoed = 0;
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const chunk of request) pieces.push(chunk);
    echoed += 1;
    const message = `Refused: ${Buffer.concat(pieces)} with ${request.headers.authorization ?? request.headers['x-api-key']}`;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'bad' } }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get echoed() {
      return echoed;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
