import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { refuseUnknown } from '../../../api/http/allowed-methods.ts';
import { BytesInFlight } from '../../../api/http/bytes-in-flight.ts';
import { readJson, requireHost } from '../../../api/http/front-door.ts';
import { createHttpServer } from '../../../api/http/http-server.ts';
import { isErrorCode, UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MIB = 1024 * 1024;
const HEADERS_MS = 400;
const REQUEST_MS = 800;
const app = express();
app.use(requireHost());
const bodies = new BytesInFlight({ perProcess: 12 * MIB, perKey: 10 * MIB });
app.use((request, response, next) => {
  const keyId = request.get('x-key') ?? 'key_1';
  response.locals['caller'] = { tenant: 'acme', user: 'ann', team: null, keyId, scopes: ['generate'] };
  next();
});
app.post('/things', readJson({ bodies }), (_request, response) => void response.json({}));
app.get('/slow', (_request, response) => {
  response.write('begin ');
  const ending = setTimeout(() => response.end('end'), 3 * REQUEST_MS);
  response.once('close', () => clearTimeout(ending));
});
const nested = express.Router();
nested.get('/:id', (_request, response) => void response.json({}));
nested.delete('/:id', (_request, response) => void response.json({}));
app.use('/nested', (_request, _response, next) => next(), nested);
app.use(refuseUnknown(app.router));
app.use(((error, _request, response, _next) => {
  const code = error instanceof UnbrokenError && isErrorCode(error.code) ? error.code : 'internal';
  response.status(error.entry?.status ?? 500).json({ code });
}) satisfies express.ErrorRequestHandler);

const server = createHttpServer(app, {
  ...configSchema.parse({}).http,
  headersMs: HEADERS_MS,
  requestMs: REQUEST_MS,
  connections: 8,
});
let port = 0;
const open: Socket[] = [];
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** What a raw client reads until the server closes. */
async function talk(first: string, repeated?: { chunk: string; ms: number }): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  let heard = '';
  socket.on('data', (data) => {
    heard += data.toString();
  });
  socket.on('error', () => socket.destroy());
  socket.write(first);
  const dribble = repeated && setInterval(() => socket.write(repeated.chunk), repeated.ms);
  // Not `once` of node:events, which would reject with the EPIPE of a chunk that came too late.
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  clearInterval(dribble);
  return heard;
}

describe('a client that is slow on purpose', () => {
  test('with its headers, one line at a time, is cut', async () => {
    const heard = await talk('GET /slow HTTP/1.1\r\nhost: a\r\n', { chunk: 'x: y\r\n', ms: 50 });
    expect(heard).toContain('408 Request Timeout');
    expect(heard).toContain('"code":"request_timeout"');
  });

  test('with its body, one byte at a time, is cut', async () => {
    const head =
      'POST /things HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n';
    const heard = await talk(head, { chunk: ' ', ms: 50 });
    expect(heard).toContain('408 Request Timeout');
  });

  test('does not shorten the time for a response', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/slow`);
    expect(await response.text()).toBe('begin end');
  });
});

test('headers over the limit are refused', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/things`, { headers: { x: 'y'.repeat(17_000) } });
  expect(response.status).toBe(431);
  expect(await response.json()).toMatchObject({ error: { code: 'headers_too_large' } });
});

describe('a request that programs read differently', () => {
  const post = 'POST /things HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
  const chunked = `${post}transfer-encoding: chunked\r\n\r\n`;
  test.each([
    ['two ways to tell the length', `${post}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`],
    ['two lengths', `${post}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
    ['a list of lengths', `${post}content-length: 2, 2\r\n\r\n{}`],
    ['a length that is no number', `${post}content-length: 0x2\r\n\r\n{}`],
    ['a length below 0', `${post}content-length: -2\r\n\r\n{}`],
    ['chunks within something unknown', `${post}transfer-encoding: chunked, xx\r\n\r\n2\r\n{}\r\n0\r\n\r\n`],
    ['a chunk of no size', `${chunked}zz\r\n{}\r\n0\r\n\r\n`],
    ['a chunk larger than any number', `${chunked}fffffffffffffffff\r\n{}`],
    ['a chunk that is longer than it says', `${chunked}1\r\n{}\r\n0\r\n\r\n`],
    ['a space before the colon', `${post}content-length : 2\r\n\r\n{}`],
    ['a header with a zero byte', `${post}x: \0\r\n\r\n`],
    ['a line end that is a carriage return alone', `${post}x: a\rcontent-length: 2\r\n\r\n{}`],
    ['two headers Host', 'GET /slow HTTP/1.1\r\nhost: a\r\nHost: b\r\nconnection: close\r\n\r\n'],
    ['no Host', 'GET /slow HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['another protocol', '\x16\x03\x01\x02\x00\x01\r\n\r\n'],
  ])('%s is 400 with a code, and ends the connection', async (_what, bytes) => {
    const heard = await talk(bytes);
    expect(heard).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(heard).toContain('"invalid_request"');
    expect(heard.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  test('a broken second request on a connection does not corrupt the answer to the first', async () => {
    const heard = await talk('GET /slow HTTP/1.1\r\nhost: a\r\n\r\nGET /slow HTTP/9.9\r\n\r\n');
    expect(heard.match(/HTTP\/1\.1/g)?.length ?? 0).toBeLessThanOrEqual(1);
  });
});

test('a request that offers HTTP/2 is answered over HTTP/1.1', async () => {
  const heard = await talk(
    'GET /nested/1 HTTP/1.1\r\nhost: a\r\nconnection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n',
  );
  expect(heard).toContain('HTTP/1.1 200 OK');
});

describe('a JSON body', () => {
  const send = async (body: Uint8Array, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/things`, {
      method: 'POST',
      body: Buffer.from(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
    const { code } = (await response.json()) as { code?: string };
    return code ?? response.status;
  };
  const deep = '['.repeat(5_000) + ']'.repeat(5_000);

  test('in another charset is refused, because its depth would be measured wrongly', async () => {
    // The high byte of U+2200 looks like a quote to a reader of bytes, and the brackets after it like text.
    const bytes = Buffer.from(`["\u2200",${deep}]`, 'utf16le');
    expect(await send(bytes, { 'content-type': 'application/json; charset=utf-16le' })).toBe(
      'unsupported_media_type',
    );
    const seven = Buffer.from(deep.replaceAll('[', '+AFs-'));
    expect(await send(seven, { 'content-type': 'application/json; charset=utf-7' })).toBe(
      'unsupported_media_type',
    );
    expect(await send(Buffer.from('{}'), { 'content-type': 'application/json; charset=UTF-8' })).toBe(200);
  });

  test.each([
    ['a byte of no character', [0x22, 0xff, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['half of a pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut character', [0x22, 0xe2, 0x82, 0x22]],
    ['an escape that is half of a pair', Buffer.from('"\\ud800"')],
    ['two halves in the wrong order', Buffer.from('"\\udc00\\ud800"')],
    ['a half as the name of a field', Buffer.from('1,"\\uDFFF":1')],
  ])('with %s is refused, and not repaired', async (_what, text) => {
    const bytes = Buffer.concat([Buffer.from('{"a":'), Buffer.from(text), Buffer.from('}')]);
    expect(await send(bytes)).toBe('invalid_json');
  });

  test('with a whole pair of escapes is taken', async () => {
    expect(await send(Buffer.from('{"a":"\\ud83d\\ude00 \\\\ud800"}'))).toBe(200);
  });

  test('with more values than the limit is refused, however few its bytes', async () => {
    const values = (count: number) => Buffer.from(`{"a":[${'{},'.repeat(count)}1]}`);
    expect(await send(values(LIMITS.jsonValues))).toBe('invalid_request');
    expect(await send(values(LIMITS.jsonValues / 4))).toBe(200);
    const packed = gzipSync(values(LIMITS.jsonValues));
    expect(packed.length).toBeLessThan(2_000);
    expect(await send(packed, { 'content-encoding': 'gzip' })).toBe('invalid_request');
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('packed by %s is unpacked', async (encoding, pack) => {
    expect(await send(pack('{"a":1}'), { 'content-encoding': encoding })).toBe(200);
    expect(await send(Buffer.from('nothing'), { 'content-encoding': encoding })).toBe('invalid_request');
  });

  test('packed by something else is refused', async () => {
    expect(await send(Buffer.from('{}'), { 'content-encoding': 'compress' })).toBe('unsupported_media_type');
  });
});

describe('unfinished bodies', () => {
  // A server with normal time limits.
  const patient = createHttpServer(app, configSchema.parse({}).http);
  let port = 0;
  beforeAll(async () => {
    patient.listen(0, '127.0.0.1');
    await once(patient, 'listening');
    port = (patient.address() as AddressInfo).port;
  });
  afterAll(() => {
    patient.closeAllConnections();
    patient.close();
  });

  const begin = async (key: string, bytes: number) => {
    const socket = connect(port, '127.0.0.1');
    open.push(socket);
    socket.on('error', () => socket.destroy());
    let heard = '';
    socket.on('data', (data) => {
      heard += data.toString();
    });
    socket.write(
      `POST /things HTTP/1.1\r\nhost: a\r\nx-key: ${key}\r\ncontent-type: application/json\r\ncontent-length: ${bytes + 1}\r\n\r\n`,
    );
    socket.write(Buffer.alloc(bytes, ' '));
    return { heard: () => heard, end: () => socket.destroy() };
  };

  test('are counted for their key and for the process until they are gone', async () => {
    const before = bodies.bytes;
    const first = await begin('key_a', 7 * MIB);
    await waitFor('the first to be held', () => bodies.bytes === before + 7 * MIB);
    const second = await begin('key_a', 4 * MIB);
    await waitFor('the refusal of the key', () => second.heard().includes('"too_many_bytes"'));
    expect(second.heard()).toMatch(/^HTTP\/1\.1 429 /);
    const other = await begin('key_b', 6 * MIB);
    await waitFor('the refusal of the process', () => other.heard().includes('"service_unavailable"'));
    const small = await begin('key_b', MIB);
    await waitFor('another key to be served', () => bodies.bytes === before + 8 * MIB);
    for (const { end } of [first, second, other, small]) end();
    await waitFor('all to be given back', () => bodies.bytes === before);
  });

  test('and are compressed count with their decompressed size', async () => {
    const packed = gzipSync(Buffer.alloc(8 * MIB, ' '));
    const socket = connect(port, '127.0.0.1');
    open.push(socket);
    socket.write(
      `POST /things HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`,
    );
    socket.write(packed.subarray(0, -8));
    await waitFor('them to be held', () => bodies.bytes > 7 * MIB);
    socket.destroy();
    await waitFor('them to be given back', () => bodies.bytes === 0);
  });
});

test('connections over the limit are closed', async () => {
  const closed: number[] = [];
  for (let index = 0; index < 10; index += 1) {
    const socket = connect(port, '127.0.0.1');
    open.push(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => closed.push(index));
    await once(socket, 'connect');
  }
  while (closed.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(closed.length).toBeGreaterThanOrEqual(2);
});

describe('a path that exists, with another method', () => {
  test.each([
    ['PUT', '/things', 405, 'POST'],
    ['POST', '/nested/1', 405, 'DELETE, GET, HEAD'],
    ['POST', '/nothing', 404, null],
    ['GET', '/nested/1/2', 404, null],
  ])('%s %s is %d and allows %s', async (method, path, status, allow) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(allow);
    await response.text();
  });
});
