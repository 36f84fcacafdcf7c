/** A stand-in for the platform, on this machine: runs a fetch handler, and cuts each request at the limit. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface Platform {
  readonly url: string;
  /** Requests so far, and how many of them were cut at the limit. */
  readonly requests: number;
  readonly cuts: number;
  stop(): Promise<void>;
}

export async function startPlatform(
  handler: (request: Request) => Promise<Response>,
  { limitMs, port = 0 }: { limitMs: number; port?: number },
): Promise<Platform> {
  let requests = 0;
  let cuts = 0;
  const server = createServer(async (incoming, outgoing) => {
    requests += 1;
    const gone = new AbortController();
    const limit = setTimeout(() => {
      cuts += 1;
      outgoing.destroy();
    }, limitMs);
    outgoing.once('close', () => {
      clearTimeout(limit);
      gone.abort();
    });
    try {
      const body = incoming.method === 'POST' ? { body: await textOf(incoming) } : {};
      const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
        method: incoming.method ?? 'GET',
        headers: Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
          typeof value === 'string' ? [[name, value]] : [],
        ),
        signal: gone.signal,
        ...body,
      });
      const response = await handler(request);
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.flushHeaders();
      if (response.body === null) {
        outgoing.end();
        return;
      }
      const answer = Readable.fromWeb(response.body);
      // A body whose request was cut fails after the pipeline has ended, too.
      answer.on('error', () => undefined);
      await pipeline(answer, outgoing);
    } catch (error) {
      if (!gone.signal.aborted) outgoing.destroy(error instanceof Error ? error : undefined);
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    get cuts() {
      return cuts;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
