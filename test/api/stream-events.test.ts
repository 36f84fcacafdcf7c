import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import express from 'express';
import { streamEvents } from '../../api/routes/stream-events.ts';
import { createLiveLogs } from '../../streaming/live-logs.ts';
import { createRedisEventLog } from '../../streaming/redis-event-log.ts';
import { waitFor } from '../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

/** More than the buffers of both sides hold. */
const PIECES = 400;
const PIECE_CHARS = 60_000;
let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server?.stop());

test('until_ms ends the stream of a reader who takes nothing, long before he counts as stalled', async () => {
  const log = createRedisEventLog(await server.connect(), { retentionMs: 60_000 });
  const owner = { tenant: 'acme', user: 'ann', route: 'default' };
  const input = { messages: [], maxOutputTokens: 1 };
  await log.create({ ...owner, generationId: 'gen_1', requestHash: '', metadata: {}, input });
  const { writer } = await log.open('gen_1', 1);
  for (let piece = 0; piece < PIECES; piece += 1) {
    await writer.write({ type: 'text-delta', text: 'x'.repeat(PIECE_CHARS) });
  }
  await writer.flush();

  const app = express();
  let closedAt = 0;
  app.use((_request, response, next) => {
    response.locals['caller'] = { ...owner, team: null, keyId: 'key_1', scopes: ['generate'] };
    response.once('close', () => {
      closedAt = performance.now();
    });
    next();
  });
  const source = { log, live: createLiveLogs(await server.connect()), heartbeatMs: 10_000 };
  // Asked only for a log that is gone.
  const temporal = new Client({ connection: Connection.lazy() });
  app.get('/:id', streamEvents({ ...source, temporal, leaving: new AbortController().signal }));
  const http = app.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const reader = connect((http.address() as AddressInfo).port, '127.0.0.1');
  reader.on('error', () => reader.destroy());
  const askedAt = performance.now();
  reader.write('GET /gen_1?until_ms=500 HTTP/1.1\r\nhost: a\r\n\r\n');
  reader.pause();
  try {
    await waitFor('the end of the stream', () => closedAt > 0, 10_000);
  } finally {
    reader.destroy();
    http.closeAllConnections();
    http.close();
  }
  expect(closedAt - askedAt).toBeGreaterThan(450);
  expect(closedAt - askedAt).toBeLessThan(3_000);
});
