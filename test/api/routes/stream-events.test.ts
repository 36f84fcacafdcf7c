import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import express from 'express';
import { pino } from 'pino';
import { RunLookup } from '../../../api/generations/run-lookup.ts';
import { streamEvents } from '../../../api/routes/stream-events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { LogWriter } from '../../../engine/streaming/event-log.ts';
import { RedisLiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';
import { garbageCollector } from '../../harness/garbage-collector.ts';
import { waitFor } from '../../harness/wait-for.ts';

/** More than the buffers of both sides hold. */
const DELTAS = 400;
const DELTA_CHARS = 60_000;
const OWNER = { tenant: 'acme', user: 'ann', route: 'default' };
/** A garbage collection after each takes seconds on a busy machine. */
const VIEWERS = 8;
let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server?.stop());

test('until_ms ends the stream of a client that reads nothing, long before it counts as stalled', async () => {
  const { writer, ...served } = await serveLog('gen_1', new AbortController().signal);
  for (let delta = 0; delta < DELTAS; delta += 1) {
    await writer.write({ type: 'text-delta', text: 'x'.repeat(DELTA_CHARS) });
  }
  await writer.flush();
  const askedAt = performance.now();
  const reader = served.ask('GET /gen_1?until_ms=500 HTTP/1.1\r\nhost: a\r\n\r\n');
  reader.pause();
  try {
    await waitFor('the end of the stream', () => served.closedAt.length > 0);
  } finally {
    reader.destroy();
    served.stop();
  }
  const [closedAt = 0] = served.closedAt;
  expect(closedAt - askedAt).toBeGreaterThan(450);
  expect(closedAt - askedAt).toBeLessThan(LIMITS.viewerStallMs);
});

test('an EventSource that returns after the end gets a 204, which ends it, and one that lacks the end gets it', async () => {
  const { writer, ...served } = await serveLog('gen_3', new AbortController().signal);
  const answerTo = async (lastEventId: number) => {
    const headers = `host: a\r\nconnection: close\r\nlast-event-id: ${lastEventId}`;
    return text(served.ask(`GET /gen_3 HTTP/1.1\r\n${headers}\r\n\r\n`));
  };
  try {
    await writer.write({ type: 'generation-cancel', attempts: 0, usage: NO_USAGE, costMicroUsd: 0 });
    await writer.flush();
    const rest = await answerTo(0);
    expect(rest).toContain('200 OK');
    expect(rest).toContain('id: 1\nevent: generation-cancel');
    const over = await answerTo(1);
    expect(over).toContain('204 No Content');
    expect(over).not.toContain('retry:');
    const empty = await text(
      served.ask('GET /gen_3?after=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
    );
    expect(empty).toContain('200 OK');
    expect(empty).toContain(': the log has ended');
    expect(empty).not.toContain('event:');
    // Polyfills of EventSource add the parameter to the URL that they were given.
    for (const url of ['/gen_3?lastEventId=1', '/gen_3?after=-1&lastEventId=1']) {
      const request = `GET ${url} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
      expect(await text(served.ask(request))).toContain('204 No Content');
    }
  } finally {
    served.stop();
  }
});

test('an open stream holds its socket alone, and the process nothing of viewers that have gone', async () => {
  const collect = garbageCollector();
  const areGone = (held: readonly WeakRef<object>[]) => {
    collect();
    return held.every((object) => object.deref() === undefined);
  };
  const { writer, ...served } = await serveLog('gen_2', new AbortController().signal);
  await writer.write({ type: 'text-delta', text: 'a' });
  await writer.flush();
  const readers: Socket[] = [];
  try {
    for (let viewer = 1; viewer <= VIEWERS; viewer += 1) {
      const reader = served.ask('GET /gen_2 HTTP/1.1\r\nhost: a\r\n\r\n');
      readers.push(reader);
      await once(reader, 'data');
      collect();
    }
    expect(served.responses).toHaveLength(VIEWERS);
    await waitFor('no response to be held', () => areGone(served.responses));
    expect(served.closedAt).toEqual([]);
    const next = Promise.all(readers.map((reader) => once(reader, 'data')));
    await writer.write({ type: 'text-delta', text: 'b' });
    await next;
    for (const reader of readers) reader.destroy();
    await waitFor('all viewers to be gone', () => served.closedAt.length === VIEWERS);
    await waitFor('no socket to be held', () => areGone(served.sockets));
  } finally {
    served.stop();
  }
});

interface Served {
  readonly writer: LogWriter;
  /** When each response was closed. */
  readonly closedAt: readonly number[];
  readonly responses: readonly WeakRef<object>[];
  readonly sockets: readonly WeakRef<object>[];
  ask(request: string): Socket;
  stop(): void;
}

async function serveLog(generationId: string, leaving: AbortSignal): Promise<Served> {
  const log = new RedisEventLog(await server.connect(), { retentionMs: 60_000 });
  const input = { messages: [], maxOutputTokens: 1 };
  await log.create({ ...OWNER, generationId, requestHash: '', metadata: {}, input });
  const { writer } = await log.open(generationId, 1);
  const closedAt: number[] = [];
  const responses: WeakRef<object>[] = [];
  const sockets: WeakRef<object>[] = [];
  const app = express();
  // Separate from the request, so that it holds none.
  const noteClose = () => closedAt.push(performance.now());
  app.use((request, response, next) => {
    response.locals['caller'] = { ...OWNER, team: null, keyId: 'key_1', scopes: ['generate'] };
    response.once('close', noteClose);
    responses.push(new WeakRef(response));
    sockets.push(new WeakRef(request.socket));
    next();
  });
  const source = { log, live: new RedisLiveLogs(await server.connect()), heartbeatMs: 10_000 };
  // Used only for a log that is gone.
  const runs = new RunLookup(new Client({ connection: Connection.lazy() }));
  app.get('/:id', streamEvents({ ...source, runs, leaving, logger: pino({ level: 'silent' }) }));
  const http = app.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    writer,
    closedAt,
    responses,
    sockets,
    ask: (request) => {
      const reader = connect((http.address() as AddressInfo).port, '127.0.0.1');
      reader.on('error', () => reader.destroy());
      reader.write(request);
      return reader;
    },
    stop: () => {
      http.closeAllConnections();
      http.close();
    },
  };
}
