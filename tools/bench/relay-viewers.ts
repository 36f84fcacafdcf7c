/**
 * The load of `bench relay`, in a separate process. It opens connections by hand, because a client library would cost
 * more than what is measured, and notes how old each token is when its bytes arrive. It exchanges messages with its
 * parent.
 */
import { connect, type Socket } from 'node:net';

export type Transport = 'SSE' | 'WebSocket';

export interface ViewersPlan {
  readonly port: number;
  readonly key: string;
  readonly transport: Transport;
  /** One viewer for each entry: the generation that it follows. */
  readonly generationIds: readonly string[];
  /** The cursor that they come with. */
  readonly after: number;
}

export type ToViewers =
  | { readonly type: 'open'; readonly plan: ViewersPlan }
  | { readonly type: 'reset' }
  | { readonly type: 'report' }
  | { readonly type: 'close' }
  /** Opens one connection after the other, and measures to the first token of each. */
  | { readonly type: 'reconnect'; readonly plan: ViewersPlan };

export type FromViewers =
  | { readonly type: 'ready' }
  | { readonly type: 'report'; readonly delaysMs: readonly number[] };

/** Every token carries the time at which it was written: `<1767225600000.123>`. */
const TOKEN = /<(\d+\.\d+)>/g;
const OPENED_AT_A_TIME = 100;

export const nowMs = () => performance.timeOrigin + performance.now();

const sockets = new Set<Socket>();
let delaysMs: number[] = [];

function open(
  { port, key, transport, after }: ViewersPlan,
  generationId: string,
  onData: (text: string) => void,
) {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const path = transport === 'SSE' ? `/v1/generations/${generationId}/events?after=${after}` : '/v1/stream';
    const extra = transport === 'SSE' ? 'Accept: text/event-stream' : upgrade;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\n${extra}\r\n\r\n`);
  });
  socket.setEncoding('latin1');
  socket.once('data', (head: string) => {
    if (!/^HTTP\/1\.1 (200|101)/.test(head)) reject(new Error(head.slice(0, 200)));
    if (transport === 'WebSocket') socket.write(textFrame({ type: 'subscribe', generationId, after }));
    sockets.add(socket);
    resolve(socket);
  });
  socket.on('data', onData);
  socket.once('error', reject);
  return promise;
}

/** A masked text frame; a mask of zeros is as good as any here. */
function textFrame(frame: object): Buffer {
  const payload = Buffer.from(JSON.stringify(frame));
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}

/** A token may be cut by the end of a packet; so little of it is lost that it does not count. */
function note(text: string): void {
  const arrivedAtMs = nowMs();
  for (const [, writtenAtMs] of text.matchAll(TOKEN)) delaysMs.push(arrivedAtMs - Number(writtenAtMs));
}

async function reconnectEach(plan: ViewersPlan): Promise<number[]> {
  const waits: number[] = [];
  for (const generationId of plan.generationIds) {
    const startedAtMs = nowMs();
    const first = Promise.withResolvers<void>();
    const socket = await open(plan, generationId, (text) => {
      if (text.includes('text-delta')) first.resolve();
    });
    await first.promise;
    waits.push(nowMs() - startedAtMs);
    sockets.delete(socket);
    socket.destroy();
  }
  return waits;
}

async function handle(message: ToViewers): Promise<FromViewers> {
  if (message.type === 'open') {
    const { plan } = message;
    for (let from = 0; from < plan.generationIds.length; from += OPENED_AT_A_TIME) {
      const some = plan.generationIds.slice(from, from + OPENED_AT_A_TIME);
      await Promise.all(some.map((id) => open(plan, id, note)));
    }
  } else if (message.type === 'reset') delaysMs = [];
  else if (message.type === 'close') {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  } else
    return {
      type: 'report',
      delaysMs: message.type === 'report' ? delaysMs : await reconnectEach(message.plan),
    };
  return { type: 'ready' };
}

process.on('message', (message: ToViewers) => {
  handle(message).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`viewers: ${error instanceof Error ? error.message : error}\n`);
      process.exit(1);
    },
  );
});
