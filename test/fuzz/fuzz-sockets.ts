/**
 * Bytes on plain TCP: requests that break HTTP, that come slowly, that stop in the middle, and sockets that are left
 * open. Whatever comes is answered, or the connection is closed in time, and none of them stays.
 */
import { connect } from 'node:net';
import fc from 'fast-check';
import type { ConfigFile } from '../../platform/config/schema.ts';
import type { Stack } from '../harness/stack.ts';
import { pause, waitFor } from '../harness/wait-for.ts';
import { faultsInLogs } from './fuzz-routes.ts';
import { type FuzzPlan, inTurns, type SurfaceReport, sumOf, tryInputs, type Verdict } from './inputs.ts';

/** The limits that the API must be started with: short ones, so that a socket that is left open is closed soon. */
export const SOCKET_LIMITS = {
  headersMs: 1_500,
  requestMs: 3_000,
  keepAliveMs: 1_000,
  connections: 300,
} satisfies Partial<ConfigFile['http']>;

const LANES = 12;
/** Overdue sockets are looked for in turns, and this machine may be busy. */
const SLACK_MS = 12_000;
const QUIET_MS = 60;
/** Sockets that may stay of other callers, such as the pool of this process. */
const OTHERS = 40;

interface RawRequest {
  readonly bytes: string;
  /** Of the bytes, how many are sent: then it says no more and waits. */
  readonly sent: number;
  /** How many at a time; 0: all at once. */
  readonly pieceBytes: number;
  readonly halfCloses: boolean;
}

interface Heard {
  readonly text: string;
  readonly isClosed: boolean;
}

export async function fuzzSockets(stack: Stack, { seed, inputs }: FuzzPlan): Promise<SurfaceReport> {
  const { url, key } = stack.api;
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  const reports = await inTurns(lanes, LANES, (lane) =>
    tryInputs(
      'a raw connection',
      rawRequests(key),
      { seed: seed + lane, inputs: Math.max(1, Math.ceil(inputs / LANES)) },
      async (request) => judge(await talk(url, request)),
    ),
  );
  const leaks = await leakedConnections(url);
  return sumOf('sockets', [
    ...reports,
    { surface: 'after', inputs: 0, failures: [...leaks, ...faultsInLogs(stack)] },
  ]);
}

/** Sends, and hears until the server closes, or has answered and is quiet, or the time for both is over. */
async function talk(url: string, { bytes, sent, pieceBytes, halfCloses }: RawRequest): Promise<Heard> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  let text = '';
  let isClosed = false;
  let heardAt = Number.POSITIVE_INFINITY;
  socket.on('data', (data) => {
    text += data.toString('latin1');
    heardAt = Date.now();
  });
  const close = () => {
    isClosed = true;
  };
  // A reset is as good an end as any.
  for (const end of ['close', 'end', 'error']) socket.on(end, close);
  const wanted = Buffer.from(bytes, 'latin1').subarray(0, sent);
  const chunk = pieceBytes === 0 ? wanted.length : pieceBytes;
  for (let from = 0; from < wanted.length && !isClosed; from += Math.max(1, chunk)) {
    socket.write(wanted.subarray(from, from + chunk));
    if (pieceBytes > 0) await pause(1);
  }
  if (halfCloses) socket.end();
  const isDone = () => isClosed || (/^HTTP\/1\.1 [2-5]/m.test(text) && Date.now() - heardAt > QUIET_MS);
  try {
    await waitFor('an answer or the end', isDone, SOCKET_LIMITS.requestMs + SLACK_MS);
  } catch {
    // Derived from what was heard: nothing, and it is open.
    isClosed = false;
  }
  socket.destroy();
  return { text, isClosed };
}

function judge({ text, isClosed }: Heard): Verdict {
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  const fault = statuses.find((status) => status >= 500);
  if (fault !== undefined) return `it was answered with ${fault}: ${text.slice(0, 600)}`;
  // 417 is Node's own, and has no body; nor has an answer to HEAD, but its head says what the body would be.
  const isSilent = /^HTTP\/1\.1 4(?!17)/.test(text) && !/^content-type: application\/json/im.test(text);
  if (isSilent) return `a refusal without a code: ${text.slice(0, 400)}`;
  return statuses.length > 0 || isClosed
    ? null
    : `it is open after ${SOCKET_LIMITS.requestMs + SLACK_MS} ms, without an answer`;
}

/** Whether as many connections as ever can be opened: none of those before is still held. */
async function leakedConnections(url: string): Promise<string[]> {
  const wanted = SOCKET_LIMITS.connections - OTHERS;
  const request = { bytes: 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n', pieceBytes: 0, halfCloses: false };
  const answered = async () => {
    const all = await Promise.all(
      Array.from({ length: wanted }, () => talk(url, { ...request, sent: request.bytes.length })),
    );
    return all.filter(({ text }) => text.startsWith('HTTP/1.1 200')).length;
  };
  try {
    await waitFor('room for all connections', async () => (await answered()) === wanted);
    return [];
  } catch {
    return [`of ${wanted} new connections only ${await answered()} were answered: others are still held`];
  }
}

const target = fc.constantFrom(
  '/healthz',
  '/v1/generations',
  '/v1/models',
  '/nothing',
  '*',
  'http://evil.example/v1/keys',
  '//',
  '/%',
  '/\u0000',
);
const method = fc.constantFrom(
  'GET',
  'POST',
  'PUT',
  'HEAD',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'get',
  'PRI',
  'QUERY',
  'X'.repeat(300),
  '',
);
const version = fc.oneof(
  { arbitrary: fc.constant('HTTP/1.1'), weight: 6 },
  fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', ''),
);
const oddHeader = fc.constantFrom(
  'content-length: 10',
  'content-length: 10',
  'content-length: -1',
  'content-length: 1e3',
  'content-length: 5, 5',
  'content-length: 99999999999999999999',
  'transfer-encoding: chunked',
  'transfer-encoding: chunked, identity',
  'transfer-encoding: gzip, chunked',
  'Transfer-Encoding : chunked',
  'transfer-encoding: xchunked',
  'expect: 100-continue',
  'expect: nothing',
  'connection: close',
  'connection: upgrade',
  'upgrade: h2c',
  'upgrade: websocket',
  'te: trailers',
  'http2-settings: AAMAAABkAAQAAP__',
  'sec-websocket-key: x',
  'sec-websocket-version: 99',
  'host: b',
  'x: \u0000',
  ': x',
  ' folded: x',
  'no colon',
  `x: ${'y'.repeat(20_000)}`,
  'x'.repeat(3_000),
  'x: \rx: y',
  '\u00ff: \u00ff',
  'cookie: a=b',
);
const body = fc.constantFrom(
  '',
  '{}',
  '{"input":"x"}',
  '5\r\nhello\r\n0\r\n\r\n',
  'zz\r\nhello\r\n0\r\n\r\n',
  '5;ext=1\r\nhello\r\n0\r\n\r\n',
  'ffffffffffffffff\r\nx',
  '-1\r\n',
  '5\nhello\n0\n\n',
  `${'0'.repeat(5_000)}1\r\nx\r\n0\r\n\r\n`,
  '0\r\nx: y\r\n\r\n',
  'GET /v1/keys HTTP/1.1\r\nhost: a\r\n\r\n',
  '0\r\n\r\nGET /v1/keys HTTP/1.1\r\nhost: a\r\n\r\n',
  'x'.repeat(70_000),
);
const end = fc.oneof({ arbitrary: fc.constant('\r\n'), weight: 8 }, fc.constantFrom('\n', '\r', '\r\n\r\n'));
/** What is not HTTP at all. */
const other = fc.constantFrom(
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004',
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  'SSH-2.0-x\r\n',
  '\r\n\r\n\r\n',
  '\u0000',
);

function rawRequests(key: string): fc.Arbitrary<RawRequest> {
  const line = fc.tuple(method, target, version).map((parts) => parts.join(' '));
  const header = fc.oneof(
    {
      arbitrary: fc.constantFrom('host: a', `authorization: Bearer ${key}`, 'content-type: application/json'),
      weight: 6,
    },
    oddHeader,
  );
  const made = fc
    .tuple(line, fc.array(header, { maxLength: 6 }), end, body)
    .map(([first, headers, eol, rest]) => `${[first, ...headers].join(eol)}${eol}${eol}${rest}`);
  const bytes = fc.oneof(
    { arbitrary: made, weight: 8 },
    other,
    fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 200 }),
  );
  return bytes.chain((text) =>
    fc.record({
      bytes: fc.constant(text),
      sent: fc.oneof(
        { arbitrary: fc.constant(text.length), weight: 4 },
        fc.integer({ min: 1, max: text.length }),
      ),
      pieceBytes: fc.constantFrom(0, 0, 0, text.length > 500 ? 5_000 : 1),
      halfCloses: fc.boolean(),
    }),
  );
}
