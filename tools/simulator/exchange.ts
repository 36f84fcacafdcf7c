/** One call of the simulated provider: its request, its answer as SSE, and the faults that all formats share. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '../../contracts/json.ts';
import type { Fault } from './faults.ts';
import type { SimulatedRun } from './generate.ts';
import type { AnswerToken } from './true-text.ts';

const BODY_BYTES = 64 * 1024 * 1024;

/** @returns null for a body that is larger; it is read to its end, so that the caller gets an answer. */
export async function readBytes(request: IncomingMessage, mostBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= mostBytes) chunks.push(chunk);
  }
  return bytes > mostBytes ? null : Buffer.concat(chunks);
}

/** @returns the SyntaxError of a body that is no JSON. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBytes(request, BODY_BYTES);
  if (bytes === null) throw new Error('body too large');
  return parseBody(bytes);
}

/** @returns the SyntaxError of a text that is no JSON. */
export function parseBody(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8') || '{}');
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    throw error;
  }
}

/** The API key of a request, in the header of any vendor. */
export function apiKeyOf({ headers }: IncomingMessage): string {
  const keyHeader = headers['x-api-key'] ?? headers['x-goog-api-key'] ?? headers['api-key'];
  return typeof keyHeader === 'string' ? keyHeader : (headers.authorization ?? '').replace(/^Bearer /i, '');
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

export function startSse(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.socket?.setNoDelay(true);
}

/** Faults that end a call before its answer starts. @returns whether one did. */
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
  const retryAfter =
    fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };
  sendJson(response, fault.status, errorBody(fault.status), { ...fault.headers, ...retryAfter });
  return true;
}

/** Faults in the middle of an answer. @returns whether the answer ends here. */
export function failInAnswer(
  fault: Fault | null,
  sent: number,
  response: ServerResponse,
  writer: { error(): void; broken(): string },
): boolean {
  if (fault === null || sent < fault.afterTokens) return false;
  if (fault.kind === 'stall') return true;
  // Let what this turn of the event loop wrote leave before the connection breaks.
  if (fault.kind === 'cut') setImmediate(() => response.destroy());
  else if (fault.kind === 'malformed-chunk') response.end(writer.broken());
  else if (fault.kind === 'in-band-error' || fault.kind === 'error-after-first-event') {
    writer.error();
    response.end();
  } else return false;
  return true;
}

/** Sends the tokens of a run as they are generated, until it ends, a fault ends it, or the reader disconnects. */
export async function relayRun(
  run: SimulatedRun,
  response: ServerResponse,
  send: (token: AnswerToken) => void,
  failsAt: (sent: number) => boolean,
): Promise<'ended' | 'interrupted'> {
  let sent = 0;
  for (;;) {
    if (response.destroyed) return 'interrupted';
    if (failsAt(sent)) return 'interrupted';
    const token = run.tokens[sent];
    if (sent < run.made && token !== undefined) {
      send(token);
      sent += 1;
    } else if (run.state !== 'running') return 'ended';
    else await run.moreThan(sent);
  }
}
