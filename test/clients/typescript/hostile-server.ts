/** A real HTTP server that serves one log, with one of the given faults per connection. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  | { kind: 'cut'; bytes: number }
  | { kind: 'close'; bytes: number }
  | { kind: 'status'; status: number; code: string; retryAfter?: string }
  | { kind: 'error-event'; code: string }
  | { kind: 'silent' }
  | { kind: 'refuse' }
  | { kind: 'whole' };

export async function startHostileServer(events: readonly { seq: number }[], faults: Fault[]) {
  let connections = 0;
  const keys: string[] = [];
  const serve = (response: ServerResponse, after: number) => {
    connections += 1;
    const fault: Fault = faults.shift() ?? { kind: 'whole' };
    if (fault.kind === 'refuse') return void response.destroy();
    if (fault.kind === 'status') {
      const retry = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      response.writeHead(fault.status, { 'content-type': 'application/json', ...retry });
      return void response.end(JSON.stringify({ error: { code: fault.code, message: 'no', doc: '/d' } }));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    if (fault.kind === 'silent') return;
    if (fault.kind === 'error-event') {
      const error = { code: fault.code, message: 'no', doc: '/d' };
      return void response.end(`event: error\ndata: ${JSON.stringify({ error })}\n\n`);
    }
    const start = after < 0 ? 0 : events.findLastIndex((event) => event.seq === after) + 1;
    const body = Buffer.from(
      events
        .slice(start)
        .map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)
        .join(''),
    );
    if (fault.kind === 'whole') return void response.end(body);
    const part = body.subarray(0, fault.bytes);
    if (fault.kind === 'close') response.end(part);
    else response.write(part, () => setTimeout(() => response.destroy(), 3));
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'POST') {
      keys.push(String(request.headers['idempotency-key']));
      if (keys.length === 1) return void response.destroy();
      response.writeHead(201, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ id: 'g1', status: 'running', events: '/e' }));
    }
    if (url.pathname.endsWith('/events')) return serve(response, Number(url.searchParams.get('after')));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'completed', lastSeq: events.at(-1)?.seq }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys,
    connections: () => connections,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
