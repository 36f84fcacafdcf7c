import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import express, { type Response } from 'express';
import { relayEvents } from '../../../api/relay/relay-events.ts';
import { closedSignal, createSseSink, startSse } from '../../../api/relay/sse.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { isTerminal, textOf } from '../../../contracts/fold-events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { EventLog, LogWriter } from '../../../engine/streaming/event-log.ts';
import { type LiveLogs, RedisLiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';
import { faultsOf } from '../../harness/check-events.ts';
import { endWith } from '../../harness/script.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** Far more than the kernel takes for a client that reads nothing. */
const DELTAS = 12_000;
const DELTA_CHARS = 800;
const STALL_MS = 2_000;

let redis: TestRedis | undefined;
let log: EventLog;
let live: LiveLogs;
let server: Server;
let made = 0;
const relays: Promise<void>[] = [];
/** The most bytes that waited in this process for each viewer, and how its relay ended. */
let viewers: { mostBytes: number; ended: number | null }[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  log = new RedisEventLog(await redis.connect(), { retentionMs: 600_000 });
  live = new RedisLiveLogs(await redis.connect());
  const app = express();
  app.get('/:id', (request, response) => {
    const { id } = request.params;
    const { after, stall } = request.query;
    relays.push(relay(id, Number(after), Number(stall), response));
  });
  server = createServer({ highWaterMark: LIMITS.viewerBufferBytes / 2 }, app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await Promise.all(relays);
  await redis?.stop();
});
afterEach(() => {
  viewers = [];
});

async function relay(
  generationId: string,
  after: number,
  stallMs: number,
  response: Response,
): Promise<void> {
  const viewer: (typeof viewers)[number] = { mostBytes: 0, ended: null };
  viewers.push(viewer);
  startSse(response, generationId);
  const sink = createSseSink(response);
  const signal = closedSignal(response);
  const watched = {
    ...sink,
    send: (events: readonly GenerationEvent[]) => {
      sink.send(events);
      viewer.mostBytes = Math.max(viewer.mostBytes, response.writableLength);
    },
  };
  viewer.ended = await relayEvents({ log, live }, { generationId, after, sink: watched, signal, stallMs });
  response.end();
}

async function newGeneration(): Promise<{ id: string; writer: LogWriter }> {
  made += 1;
  const id = `gen_slow_${made}`;
  await log.create({
    generationId: id,
    tenant: 'acme',
    user: 'ann',
    route: 'default',
    requestHash: 'h',
    metadata: {},
    input: { messages: [{ role: 'user', content: 'hello' }], maxOutputTokens: 10 },
  });
  return { id, writer: (await log.open(id, 1)).writer };
}

async function writeMuch(writer: LogWriter): Promise<string> {
  let text = '';
  for (let index = 0; index < DELTAS; index += 1) {
    const delta = `${index} `.padEnd(DELTA_CHARS, 'x');
    text += delta;
    await writer.write({ type: 'text-delta', text: delta });
    if (index % 64 === 63) await writer.flush();
  }
  await writer.write(endWith());
  await writer.flush();
  return text;
}

interface Reader {
  readonly socket: Socket;
  readonly events: GenerationEvent[];
}

/** A connection that starts paused; `socket.resume()` reads. */
function openReader(id: string, after = -1, stallMs: number = LIMITS.viewerStallMs): Reader {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`GET /${id}?after=${after}&stall=${stallMs} HTTP/1.1\r\nHost: test\r\n\r\n`);
  const events: GenerationEvent[] = [];
  const parser = createParser({ onEvent: ({ data }) => events.push(JSON.parse(data) as GenerationEvent) });
  const body = unchunked((text) => parser.feed(text));
  socket.on('data', body);
  socket.on('error', () => undefined);
  socket.pause();
  return { socket, events };
}

/** The body of a chunked response: of text without line breaks in it, the frame lines are hexadecimal alone. */
function unchunked(feed: (text: string) => void): (bytes: Buffer) => void {
  let pending = Buffer.alloc(0);
  let head = true;
  return (bytes) => {
    pending = Buffer.concat([pending, bytes]);
    if (head) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      head = false;
      pending = pending.subarray(end + 4);
    }
    for (;;) {
      const lineEnd = pending.indexOf('\r\n');
      if (lineEnd < 0) return;
      const size = Number.parseInt(pending.subarray(0, lineEnd).toString('latin1'), 16);
      if (pending.length < lineEnd + 2 + size + 2) return;
      feed(pending.subarray(lineEnd + 2, lineEnd + 2 + size).toString('utf8'));
      pending = pending.subarray(lineEnd + 2 + size + 2);
    }
  };
}

describe('a viewer that reads nothing', () => {
  test('takes no more than its buffer in this process, and then gets every token, merged', async () => {
    const { id, writer } = await newGeneration();
    const reader = openReader(id);
    await waitFor('the viewer', () => viewers.length === 1);
    const text = await writeMuch(writer);
    expect(reader.events).toEqual([]);
    reader.socket.resume();
    await waitFor('the end', () => reader.events.some(isTerminal));
    reader.socket.destroy();
    expect(faultsOf(reader.events)).toEqual([]);
    expect(textOf(reader.events) === text).toBe(true);
    expect(reader.events.some((event) => event.from !== undefined)).toBe(true);
    expect(viewers[0]?.mostBytes).toBeLessThanOrEqual(LIMITS.viewerBufferBytes);
    expect(viewers[0]?.mostBytes).toBeGreaterThan(LIMITS.viewerBufferBytes / 4);
  });

  test('is closed after the limit, and its cursor still gives the rest', async () => {
    const { id, writer } = await newGeneration();
    const reader = openReader(id, -1, STALL_MS);
    await waitFor('the viewer', () => viewers.length === 1);
    const text = await writeMuch(writer);
    await waitFor('the end of its relay', () => viewers[0]?.ended !== null);
    reader.socket.resume();
    await once(reader.socket, 'close');
    expect(reader.events.some(isTerminal)).toBe(false);
    const again = openReader(id, reader.events.at(-1)?.seq ?? -1);
    again.socket.resume();
    await waitFor('the end', () => again.events.some(isTerminal));
    again.socket.destroy();
    const joined = [...reader.events, ...again.events];
    expect(faultsOf(joined)).toEqual([]);
    expect(textOf(joined) === text).toBe(true);
  });
});
