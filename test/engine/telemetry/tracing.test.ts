import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { logTraceFailures, startTracing } from '../../../engine/telemetry/tracing.ts';
import { waitFor } from '../../harness/wait-for.ts';

test.each([
  ['refuses them', () => createServer((_request, response) => response.writeHead(401).end()), 'Unauthorized'],
  ['takes gRPC alone', () => createHttp2Server(), 'Parse Error'],
])('a collector that %s is logged, once in a while', async (_what, create, reason) => {
  const collector = create();
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const host = `127.0.0.1:${(collector.address() as AddressInfo).port}`;
  const settings = {
    url: `http://ann:secret@${host}/v1/traces`,
    serviceName: undefined,
    capturesContent: false,
  };
  const tracing = await startTracing('unbroken-api', settings);
  const lines: unknown[] = [];
  logTraceFailures(tracing, { warn: (facts, message) => lines.push({ ...facts, message }) });
  // Enough for several exports at once.
  for (let span = 0; span < 1_500; span += 1) tracing?.tracer.startSpan('s').end();
  await waitFor('a line of the log', () => lines.length > 0);
  await tracing?.stop();
  collector.close();
  expect(lines).toEqual([
    {
      reason: expect.stringContaining(reason),
      message: `traces cannot be sent to ${host}: it must take OTLP over HTTP, usually at port 4318 (4317 is for gRPC)`,
    },
  ]);
});
