/** Replays recorded answers of vendors over HTTP: whole, byte by byte, or cut in two at a given byte. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';

export type Delivery = 'whole' | 'bytes' | { readonly splitAt: number };

export interface FixtureServer {
  readonly url: string;
  /** What the next requests are answered with. */
  play(fixture: Fixture, delivery?: Delivery): void;
  /** The bodies of the requests so far. */
  readonly requests: { readonly path: string; readonly headers: object; readonly body: unknown }[];
  stop(): Promise<void>;
}

export interface Fixture {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A file of `fixtures/`: the status line, the headers, an empty line, and the body as it is on the wire. */
export function readFixture(wire: string, name: string): Fixture {
  const bytes = readFileSync(join(import.meta.dirname, 'fixtures', wire, `${name}.http`));
  const end = bytes.indexOf('\n\n');
  const [first = '', ...lines] = bytes.subarray(0, end).toString('utf8').split('\n');
  return {
    status: Number(first.split(' ')[1]),
    headers: Object.fromEntries(lines.map((line) => line.split(': ') as [string, string])),
    body: bytes.subarray(end + 2),
  };
}

export async function startFixtureServer(): Promise<FixtureServer> {
  let playing: { fixture: Fixture; delivery: Delivery } | null = null;
  const requests: FixtureServer['requests'] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    requests.push({
      path: request.url ?? '',
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    });
    if (playing === null) throw new Error('nothing is playing');
    await send(response, playing.fixture, playing.delivery);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    play(fixture, delivery = 'whole') {
      playing = { fixture, delivery };
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function send(
  response: ServerResponse,
  { status, headers, body }: Fixture,
  delivery: Delivery,
): Promise<void> {
  response.writeHead(status, headers);
  response.socket?.setNoDelay(true);
  const size = delivery === 'bytes' ? 1 : delivery === 'whole' ? body.length : delivery.splitAt;
  response.flushHeaders();
  for (let from = 0; from < body.length && !response.destroyed; ) {
    const to = typeof delivery === 'object' && from > 0 ? body.length : from + Math.max(1, size);
    response.write(body.subarray(from, to));
    from = to;
    // The reader gets its turn before the next piece leaves.
    await turn();
  }
  response.end();
}
