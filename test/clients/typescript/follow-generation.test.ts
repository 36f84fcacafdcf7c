import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createClient, followGeneration, textOf } from '../../../clients/typescript/index.ts';
import { type Fault, startHostileServer } from './hostile-server.ts';

const WORDS = Array.from({ length: 120 }, (_, index) => `Wörter🧵${index}é `);
const LOG = [
  ...WORDS.map((text, seq) => ({ type: 'text-delta', text, seq, at: 0 })),
  { type: 'generation-end', seq: WORDS.length, at: 0, usage: { outputTokens: 120 }, costMicroUsd: 1 },
];
const TEXT = WORDS.join('');
let stop: (() => void) | undefined;
afterEach(() => stop?.());

async function serve(faults: Fault[], events: readonly { seq: number }[] = LOG) {
  const server = await startHostileServer(events, faults);
  stop = server.stop;
  return server;
}
const read = (baseUrl: string, extra = {}) =>
  textOf(followGeneration({ baseUrl, generationId: 'g1', reconnectDelayMs: 2, ...extra }));

function randomCuts(seed: number): Fault[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
  return Array.from({ length: 25 }, () => ({ kind: next() % 2 ? 'cut' : 'close', bytes: next() % 900 }));
}

describe('follow', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'disconnects at random bytes lose and repeat no character (seed %i)',
    async (seed) => {
      const server = await serve(randomCuts(seed));
      expect(await read(server.url)).toBe(TEXT);
      expect(server.connections()).toBeGreaterThan(5);
    },
  );

  test('refusals, 503 with Retry-After and silence only cost time', async () => {
    const wait: Fault = { kind: 'status', status: 503, code: 'service_unavailable', retryAfter: '1' };
    const server = await serve([{ kind: 'refuse' }, { kind: 'refuse' }, wait, { kind: 'silent' }]);
    const startedAt = performance.now();
    expect(await read(server.url, { maxSilenceMs: 100 })).toBe(TEXT);
    expect(performance.now() - startedAt).toBeGreaterThan(1_050);
    expect(server.connections()).toBe(5);
  });

  test.each([
    [404, 'not_found'],
    [410, 'cursor_expired'],
    [401, 'unauthorized'],
  ])('%i ends at once with its code', async (status, code) => {
    const server = await serve([{ kind: 'status', status, code }]);
    await expect(read(server.url)).rejects.toMatchObject({ name: 'ClientError', code, doc: '/d' });
  });

  test.each([
    ['a gap', [...LOG.slice(0, 5), ...LOG.slice(6)]],
    ['a duplicate', [...LOG.slice(0, 5), ...LOG.slice(4)]],
  ])('%s is never shown as a whole text', async (_, events) => {
    const server = await serve([], events);
    await expect(read(server.url)).rejects.toMatchObject({ name: 'StreamIntegrityError', after: 4 });
  });

  test('an event after the terminal one is an error', async () => {
    const server = await serve([], [...LOG, { type: 'text-delta', text: 'x', seq: 121, at: 0 }]);
    const drain = async () => {
      for await (const _ of followGeneration({ baseUrl: server.url, generationId: 'g1' }));
    };
    await expect(drain()).rejects.toThrow('after the terminal one');
  });

  test('a cursor at the end of the log ends at once', async () => {
    const server = await serve([]);
    await expect(read(server.url, { after: 120 })).rejects.toThrow('the events stop');
    expect(server.connections()).toBe(1);
  });

  test('a server that never returns ends in ConnectionLostError', async () => {
    const server = await serve([]);
    stop?.();
    await expect(read(server.url, { giveUpAfterMs: 200 })).rejects.toMatchObject({
      name: 'ConnectionLostError',
    });
  });
});

test('a reader that handles one event for longer than the limit still gets the rest', async () => {
  const server = await serve([{ kind: 'cut', bytes: 300 }, { kind: 'refuse' }]);
  let text = '';
  const limits = { giveUpAfterMs: 200, reconnectDelayMs: 2 };
  for await (const event of followGeneration({ baseUrl: server.url, generationId: 'g1', ...limits })) {
    if (event.seq === 0) await setTimeout(300);
    if (event.type === 'text-delta') text += event.text;
  }
  expect(text).toBe(TEXT);
});

test('a reader with a ticket, which opens the stream alone, ends with its cursor at the end of the log', async () => {
  const urls: string[] = [];
  const fetch = async (url: Parameters<typeof globalThis.fetch>[0]) => {
    urls.push(String(url));
    if (!String(url).includes('/events?')) return new Response(null, { status: 401 });
    const headers = { 'content-type': 'text/event-stream' };
    return new Response('retry: 1000\n\n: the log has ended\n\n', { headers });
  };
  await expect(read('http://127.0.0.1:9', { fetch, after: 120 })).rejects.toThrow('the events stop');
  expect(urls).toHaveLength(1);
});

test('a limit that no timer takes is none', async () => {
  const server = await serve([]);
  const limits = { maxSilenceMs: Infinity, giveUpAfterMs: Infinity, requestTimeoutMs: Infinity };
  const client = createClient({ baseUrl: server.url, ...limits });
  expect(await textOf(await client.generate({ input: 'x' }))).toBe(TEXT);
  expect(server.connections()).toBe(1);
});

describe('what cannot be sent is refused before the first attempt', () => {
  const input = { input: 'x' };
  const notJson = { input: 'x', metadata: { count: 1n } } as unknown as typeof input;
  test.each([
    ['an address without a protocol', { baseUrl: 'localhost:8787' }, input, 'baseUrl'],
    ['an address that is none', { baseUrl: '127.0.0.1:8787' }, input, 'baseUrl'],
    [
      'a key with a typographic character',
      { apiKey: 'ub_key_1…' },
      input,
      'apiKey: the character at index 8',
    ],
    ['a value that is no JSON', {}, notJson, 'BigInt'],
  ])('%s', async (_what, options, request, words) => {
    const retries: unknown[] = [];
    const onRetry = (retry: unknown) => retries.push(retry);
    const client = createClient({ baseUrl: 'http://127.0.0.1:9', onRetry, ...options });
    const sent = client.submit(request);
    await expect(sent).rejects.toBeInstanceOf(TypeError);
    await expect(sent).rejects.toThrow(words);
    expect(retries).toEqual([]);
    if (request === notJson) return;
    await expect(textOf(client.follow('g1'))).rejects.toThrow(words);
  });

  test('a fetch that has no streams, as in React Native', async () => {
    const headers = { 'content-type': 'text/event-stream' };
    const fetch = async () => new Response(null, { headers });
    await expect(read('http://127.0.0.1:9', { fetch })).rejects.toThrow('expo/fetch');
  });
});

test('a retried submit carries the same Idempotency-Key', async () => {
  const server = await serve([]);
  const generation = await createClient({ baseUrl: server.url }).generate({ input: 'x' });
  expect(await textOf(generation)).toBe(TEXT);
  expect(server.keys).toHaveLength(2);
  expect(new Set(server.keys).size).toBe(1);
});

test('the command prints the exact text through cuts, and nothing else, on stdout', async () => {
  const server = await serve(randomCuts(9).slice(0, 6));
  const child = spawn(process.execPath, ['bin/unbroken.js', 'generate', 'hello', '--url', server.url]);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(Buffer.concat(chunks).toString()).toBe(TEXT);
  expect(code).toBe(0);
});

test('the command ends quietly when the reader of its output has enough, as head does', async () => {
  const server = await serve([{ kind: 'cut', bytes: 900 }]);
  const child = spawn(process.execPath, ['bin/unbroken.js', 'generate', 'hello', '--url', server.url]);
  let error = '';
  child.stderr.on('data', (chunk: Buffer) => {
    error += chunk;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(error).not.toContain('EPIPE');
  expect(code).toBe(0);
});
