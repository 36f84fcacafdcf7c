import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import WebSocket, { WebSocketServer } from 'ws';
import { BytesInFlight } from '../../../api/http/bytes-in-flight.ts';
import { serveFrames } from '../../../api/relay/socket-frames.ts';
import { type FrameWork, type SocketRoute, sendText } from '../../../api/relay/socket-route.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { encodeFrame, openRawWebSocket } from '../../fuzz/raw-websocket.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MIB = 1024 * 1024;
const ADMITTED = 5;
const bodies = new BytesInFlight({ perProcess: 64 * MIB, perKey: 4 * MIB });
let left = ADMITTED;
/** Frames that were taken or refused. */
let handled = 0;
const rate = {
  admit: async () => {
    left -= 1;
    if (left < 0) throw new UnbrokenError('rate_limited', 'too many');
  },
};

/** Does what its frames ask: `throw`, start `work`, or nothing. */
function route(
  counts: SocketRoute['counts'],
  takesWork: (frame: { do?: string }) => FrameWork | null,
): SocketRoute {
  return {
    maxFrameBytes: 8 * MIB,
    takesTickets: false,
    counts,
    open: ({ ws }) => ({
      take: (frame) => {
        handled += 1;
        sendText(ws, JSON.stringify({ type: 'taken' }));
        return takesWork(frame as { do?: string });
      },
      refuse: (error) => {
        handled += 1;
        sendText(ws, JSON.stringify({ type: 'error', code: error.code }));
      },
      close: () => undefined,
    }),
  };
}

const work = (frame: { do?: string }): FrameWork | null => {
  if (frame.do === 'throw') JSON.stringify(deepOf(100_000));
  if (frame.do !== 'work') return null;
  return { run: async () => undefined, fail: () => undefined };
};

function deepOf(levels: number): unknown {
  let deep: unknown = null;
  for (let level = 0; level < levels; level += 1) deep = [deep];
  return deep;
}

const server = createServer();
const sockets = new WebSocketServer({ server, maxPayload: 8 * MIB });
const routes: Readonly<Record<string, SocketRoute>> = {
  '/all': route('all', work),
  '/work': route('work', work),
};
sockets.on('connection', (ws, request) => {
  ws.on('error', () => ws.terminate());
  const found = routes[request.url ?? ''];
  if (found === undefined) throw new Error('no such socket');
  const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key_1', scopes: ['generate'] } as const;
  serveFrames({ rate, bodies, logger: pino({ level: 'silent' }) }, found, {
    ws,
    connection: request.socket,
    caller,
  });
});
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  for (const client of sockets.clients) client.terminate();
  left = ADMITTED;
});
afterAll(() => void server.close());

async function connect(path: string) {
  const client = new WebSocket(`${url.replace('http', 'ws')}${path}`);
  const heard: { type: string; code?: string }[] = [];
  let closedWith: number | null = null;
  client.on('message', (data) => heard.push(JSON.parse(String(data))));
  client.on('close', (code) => {
    closedWith = code;
  });
  client.on('error', () => client.terminate());
  await once(client, 'open');
  return { client, heard, closedWith: () => closedWith };
}

describe('a frame', () => {
  test('that crashes its session ends its own socket with 1011, and nothing else', async () => {
    const other = await connect('/all');
    const { client, heard, closedWith } = await connect('/all');
    client.send('{"do":"throw"}');
    await waitFor('the end', () => closedWith() !== null);
    expect(closedWith()).toBe(1011);
    expect(heard).toContainEqual({ type: 'error', code: 'internal' });
    other.client.send('{}');
    await waitFor('the other to be served', () => other.heard.length > 0);
  });

  test.each([
    [
      'nested too deep',
      `${'['.repeat(LIMITS.jsonDepth + 1)}${']'.repeat(LIMITS.jsonDepth + 1)}`,
      'invalid_request',
    ],
    ['of too many values', `[${'{},'.repeat(LIMITS.jsonValues)}1]`, 'invalid_request'],
    ['with half a character', '{"a":"\\ud800"}', 'invalid_json'],
    ['that is no JSON', '{', 'invalid_json'],
    ['of bytes', Buffer.from('{}'), 'invalid_request'],
  ])('%s is refused before its session sees it, and the socket stays open', async (_what, frame, code) => {
    const { client, heard } = await connect('/work');
    client.send(frame);
    await waitFor('an answer', () => heard.length > 0);
    expect(heard).toEqual([{ type: 'error', code }]);
    client.send('{}');
    await waitFor('the next one', () => heard.some(({ type }) => type === 'taken'));
  });

  test.each(['/all', '/work'])('that starts work counts as a request of its key (%s)', async (path) => {
    const { client, heard } = await connect(path);
    const taken = () => heard.filter(({ type }) => type === 'taken').length;
    for (let sent = 0; sent < ADMITTED; sent += 1) client.send('{"do":"work"}');
    await waitFor('all of them', () => taken() === ADMITTED);
    expect(left).toBe(0);
    client.send('{"do":"work"}');
    if (path === '/work') {
      // A frame that begins nothing is not counted there.
      client.send('{}');
      await waitFor('the free one', () => taken() === ADMITTED + 2);
    } else await waitFor('the refusal', () => heard.some(({ code }) => code === 'rate_limited'));
    expect(left).toBeLessThan(0);
  });

  test('that is invalid counts as a request of its key, even where only work counts', async () => {
    const { client, heard } = await connect('/work');
    for (let sent = 0; sent <= ADMITTED; sent += 1) client.send('{');
    await waitFor('the refusal', () => heard.some(({ code }) => code === 'rate_limited'));
    expect(heard.filter(({ code }) => code === 'invalid_json')).toHaveLength(ADMITTED);
  });

  test.each([
    ['are valid', '{}'],
    ['are not', '{'],
  ])(
    'waits when thousands arrive in one packet, so that other clients get a turn (they %s)',
    async (_what, text) => {
      left = Number.POSITIVE_INFINITY;
      const frames = 3_000;
      const frame = { fin: true, reserved: 0, opcode: 1, isMasked: true, payload: Buffer.from(text) };
      const socket = await openRawWebSocket(url, '/work', 'none');
      const before = handled;
      let [seen, mostInOneTurn] = [before, 0];
      const look = () => {
        mostInOneTurn = Math.max(mostInOneTurn, handled - seen);
        seen = handled;
        if (seen - before < frames) setImmediate(look);
      };
      setImmediate(look);
      socket.write(Buffer.concat(Array.from({ length: frames }, () => encodeFrame(frame))));
      await waitFor('all of them to be handled', () => handled - before === frames);
      expect(mostInOneTurn).toBeLessThan(100);
      socket.destroy();
    },
  );

  test('that never completes is counted as it arrives, and ends the socket of a key over its limit', async () => {
    const socket = await openRawWebSocket(url, '/all', 'none');
    const payload = Buffer.alloc(5 * MIB, 'x');
    const frame = encodeFrame({ fin: true, reserved: 0, opcode: 1, isMasked: true, payload });
    socket.write(frame.subarray(0, 3 * MIB));
    await waitFor('it to be held', () => bodies.bytes > 2 * MIB);
    socket.write(frame.subarray(3 * MIB, -1));
    await waitFor('the end', () => socket.isClosed());
    await waitFor('all to be given back', () => bodies.bytes === 0);
    expect(socket.frames.some(({ payload: answer }) => answer.includes('too_many_bytes'))).toBe(true);
  });

  test('that was handled is no longer counted', async () => {
    const { client, heard } = await connect('/all');
    for (let sent = 0; sent < 3; sent += 1) client.send(JSON.stringify({ a: 'x'.repeat(2 * MIB) }));
    await waitFor('all three', () => heard.length === 3);
    expect(heard.every(({ type }) => type === 'taken')).toBe(true);
    await waitFor('nothing to be held', () => bodies.bytes === 0);
  });
});
