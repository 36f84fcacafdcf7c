/** One call of the simulated provider: its request, its answer as SSE, and the faults that all formats share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './faults.ts';
import type { SimulatedRun } from './generate.ts';

const BODY_BYTES = 16 * 1024 * 1024;

export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES) throw new Error('body too large');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}');
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function startSse(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.socket?.setNoDelay(true);
}

export type WireEvent = { readonly type: string; readonly [field: string]: unknown };

export function sendEvent(response: ServerResponse, event: WireEvent): void {
  response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** Faults that end the call before its answer begins. @returns whether one did. */
export async function failBeforeAnswer(
  fault: Fault | null,
  response: ServerResponse,
  errorBody: (status: number) => unknown,
): Promise<boolean> {
  if (fault?.kind === 'reset') {
    response.socket?.destroy();
    return true;
  }
  if (fault?.kind === 'no-answer') return true;
  if (fault?.kind === 'slow-first-token') await sleep(fault.delayMs, null, { ref: false });
  if (response.destroyed) return true;
  if (fault?.kind !== 'status') return false;
  const wait =
    fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };
  sendJson(response, fault.status, errorBody(fault.status), wait);
  return true;
}

/** Faults in the middle of an answer. @returns whether the answer ends here. */
export function failInAnswer(
  fault: Fault | null,
  sent: number,
  response: ServerResponse,
  inBandError: () => WireEvent,
): boolean {
  if (fault === null || sent < fault.afterTokens) return false;
  if (fault.kind === 'stall') return true;
  // What was written in this turn of the event loop leaves before the connection breaks.
  if (fault.kind === 'cut') setImmediate(() => response.destroy());
  else if (fault.kind === 'malformed-chunk') response.end('event: broken\ndata: {"type": "bro\n\n');
  else if (fault.kind === 'in-band-error') {
    sendEvent(response, inBandError());
    response.end();
  } else return false;
  return true;
}

/** Sends the tokens of a run as they are made, from an index on, until it ends, fails by command, or nobody listens. */
export async function relayRun(
  run: SimulatedRun,
  from: number,
  response: ServerResponse,
  send: (token: string, index: number) => void,
  failsAt: (sent: number) => boolean,
): Promise<'ended' | 'left'> {
  let sent = from;
  for (;;) {
    if (response.destroyed) return 'left';
    if (failsAt(sent)) return 'left';
    const token = run.tokens[sent];
    if (sent < run.made && token !== undefined) {
      send(token, sent);
      sent += 1;
    } else if (run.state !== 'running') return 'ended';
    else await run.moreThan(sent);
  }
}
