/** The Python client, built and installed as its users do it, against servers that cut, repeat and lie. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { ERRORS } from '../../../contracts/errors.ts';
import { eventBodySchema } from '../../../contracts/events.ts';
import {
  continueRequestSchema,
  generationRequestSchema,
  generationViewSchema,
} from '../../../contracts/generation.ts';
import { ALLOWED_LICENCES } from '../../../tools/package/licences.ts';
import { installPythonPackage, type PythonPackage } from '../../harness/python-package.ts';
import { type Fault, startHostileServer } from '../typescript/hostile-server.ts';

const MYPY = 'mypy==2.4.1';
const HERE = import.meta.dirname;
const CLIENTS = ['sync', 'async'] as const;

// U+2028 ends a line for Python's `str.splitlines`, and not in an event stream.
const WORDS = Array.from({ length: 120 }, (_, index) => `Wörter🧵${index}é\u2028`);
const END = {
  type: 'generation-end',
  provider: 'simulated',
  model: 'sim-large',
  finishReason: 'stop',
  attempts: 1,
  cached: false,
  usage: {
    inputTokens: 1,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 120,
    reasoningTokens: 0,
    estimated: false,
  },
  costMicroUsd: 1,
};
const LOG = [
  ...WORDS.map((text, seq) => ({ type: 'text-delta', text, seq, at: 0 })),
  { ...END, seq: WORDS.length, at: 0 },
];
interface Numbered extends Record<string, unknown> {
  readonly seq: number;
}
const TEXT = WORDS.join('');

let client: PythonPackage;
let stop: (() => void) | undefined;
beforeAll(async () => {
  client = await installPythonPackage(MYPY);
});
afterEach(() => stop?.());
afterAll(() => client?.remove());

async function serve(faults: Fault[], events: readonly Numbered[] = LOG) {
  const server = await startHostileServer(events, faults);
  stop = server.stop;
  return server;
}

/** The argument of reader.py, without what all readings share. */
interface ReadingPlan {
  readonly client: (typeof CLIENTS)[number];
  readonly options?: Readonly<Record<string, number>>;
  readonly after?: number;
  readonly request?: object;
}

async function read(url: string, plan: ReadingPlan) {
  const options = { reconnect_delay_ms: 2, ...plan.options };
  const lines = await client.start('reader.py', { url, id: 'g1', ...plan, options }).whole;
  return lines.at(-1);
}

function randomCuts(seed: number): Fault[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 8;
  };
  return Array.from({ length: 25 }, () => ({ kind: next() % 2 ? 'cut' : 'close', bytes: next() % 900 }));
}

describe('the package', () => {
  test('the wheel holds the modules, the marker of its types and the licence, and no other file', async () => {
    const script = 'import json, sys, zipfile; print(json.dumps(zipfile.ZipFile(sys.argv[1]).namelist()))';
    const names = z.array(z.string()).parse(JSON.parse(await client.run(['-c', script, client.wheel])));
    expect(names).toEqual(expect.arrayContaining(['unbroken/__init__.py', 'unbroken/py.typed']));
    expect(names.filter((name) => name.endsWith('/LICENSE'))).toHaveLength(1);
    expect(names.filter((name) => !/^unbroken(\/\w+\.(?:py|typed)|-[\d.]+\.dist-info\/)/.test(name))).toEqual(
      [],
    );
  });

  test('it has the version of the project, and needs only httpx', async () => {
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(HERE, '../../../package.json'), 'utf8')));
    expect(basename(client.wheel)).toBe(`unbroken-${version}-py3-none-any.whl`);
    const script = 'import importlib.metadata as m; print(*m.requires("unbroken"), sep="\\n")';
    expect((await client.run(['-c', script])).trim()).toMatch(/^httpx[<>=\d.,]+$/);
  });

  test('what it brings has allowed licences', async () => {
    const licences = z
      .record(z.string(), z.string())
      .parse(JSON.parse(await client.run([join(HERE, 'licences.py')])));
    expect(Object.keys(licences)).toEqual(expect.arrayContaining(['unbroken', 'httpx', 'certifi']));
    // The root certificates of Mozilla, unchanged; and Python's own licence.
    const allowed = [...ALLOWED_LICENCES, 'MPL-2.0', 'PSF-2.0'];
    expect(Object.entries(licences).filter(([, licence]) => !allowed.includes(licence))).toEqual([]);
  });

  test('mypy accepts a right use of it in strict mode, and reports each wrong use', async () => {
    const check = (file: string) =>
      client.run(['-m', 'mypy', '--strict', '--python-version', '3.10', join(HERE, file)]);
    expect(await check('consumer.py')).toContain('Success');
    const wrong = readFileSync(join(HERE, 'wrong_consumer.py'), 'utf8').split('\n');
    const expected = wrong.flatMap((line, index) => (line.endsWith('# wrong') ? [index + 1] : []));
    const report = await check('wrong_consumer.py').catch((error: { stdout: string }) => error.stdout);
    const reported = [...report.matchAll(/:(\d+): error:/g)].map(([, line]) => Number(line));
    expect([...new Set(reported)]).toEqual(expected);
    expect(expected).toHaveLength(5);
  });
});

describe('the contract', () => {
  /** Field names, and whether each is required. */
  const fieldsOf = (schema: z.ZodType) => {
    const { properties = {}, required = [] } = z.toJSONSchema(schema);
    return Object.fromEntries(Object.keys(properties).map((name) => [name, required.includes(name)]));
  };

  test('the client has every event, field and status of contracts/', async () => {
    const [known] = await client.start('contract.py', {}).whole;
    const events = eventBodySchema.options.map((option) => {
      const fields = { ...fieldsOf(option), seq: true, at: true, type: false };
      return [option.shape.type.value, fields];
    });
    expect(known).toEqual({
      events: Object.fromEntries(events),
      // A list has no text.
      view: { ...fieldsOf(generationViewSchema), text: false },
      request: Object.keys(generationRequestSchema.shape).filter((name) => name !== 'stream'),
      continueRequest: Object.keys(continueRequestSchema.shape).filter((name) => name !== 'stream'),
      statuses: Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status])),
    });
  });

  test('a JSON answer grows to what json.loads returns, wherever it is cut', async () => {
    const [line] = await client.start('partial_json.py', {}).whole;
    expect(line).toEqual({ grown: [{}, { a: 'x' }, { a: 'xy', b: [] }, { a: 'xy', b: [1] }], wrong: [] });
  });

  test('a stream parses the same, wherever it is cut', async () => {
    const [line] = await client.start('sse_cuts.py', {}).whole;
    expect(line).toEqual({
      results: [
        [
          ['text-delta', 'Wörter🧵\u2028'],
          ['', 'a\nb'],
          ['', 'c\n d'],
          ['error', ''],
        ],
      ],
    });
  });
});

describe.each(CLIENTS)('the %s client', (kind) => {
  test.each([1, 2, 3])(
    'loses and repeats no character by disconnects at random bytes (seed %i)',
    async (seed) => {
      const server = await serve(randomCuts(seed));
      expect(await read(server.url, { client: kind })).toEqual({ text: TEXT });
      expect(server.connections()).toBeGreaterThan(5);
    },
  );

  test('only waits on refusals, 503 with Retry-After and silence', async () => {
    const wait: Fault = { kind: 'status', status: 503, code: 'service_unavailable', retryAfter: '1' };
    const server = await serve([{ kind: 'refuse' }, { kind: 'refuse' }, wait, { kind: 'silent' }]);
    const startedAt = performance.now();
    const options = { max_silence_ms: 300 };
    expect(await read(server.url, { client: kind, options })).toEqual({ text: TEXT });
    expect(performance.now() - startedAt).toBeGreaterThan(1_250);
    expect(server.connections()).toBe(5);
  });

  test.each([
    [404, 'not_found'],
    [410, 'cursor_expired'],
    [401, 'unauthorized'],
  ])('ends at once on %i, with its code and page', async (status, code) => {
    const server = await serve([{ kind: 'status', status, code }]);
    const error = { name: 'ClientError', status, code, doc: '/d' };
    expect(await read(server.url, { client: kind })).toMatchObject({ error });
    expect(server.connections()).toBe(1);
  });

  test('reconnects after an error inside a stream that may pass, and ends on one that does not', async () => {
    const server = await serve([
      { kind: 'error-event', code: 'internal' },
      { kind: 'whole' },
      { kind: 'error-event', code: 'cursor_expired' },
    ]);
    expect(await read(server.url, { client: kind })).toEqual({ text: TEXT });
    const error = { name: 'ClientError', status: 410, code: 'cursor_expired', doc: '/d' };
    expect(await read(server.url, { client: kind })).toMatchObject({ error });
    expect(server.connections()).toBe(3);
  });

  test.each([
    ['a gap', [...LOG.slice(0, 5), ...LOG.slice(6)], 'gap: expected 5, got 6'],
    ['a duplicate', [...LOG.slice(0, 5), ...LOG.slice(4)], 'duplicate: event 4 came again'],
    ['an event without its number', [...LOG.slice(0, 5), { seq: 4.5 }], 'unreadable event'],
  ])('never shows %s as a whole text', async (_, events, message) => {
    const server = await serve([], events);
    const error = { name: 'StreamIntegrityError', after: 4, message: expect.stringContaining(message) };
    expect(await read(server.url, { client: kind })).toMatchObject({ error });
  });

  test('reports an event after the terminal one', async () => {
    const server = await serve([], [...LOG, { type: 'text-delta', text: 'x', seq: 121, at: 0 }]);
    const error = { message: expect.stringContaining('after the terminal one') };
    expect(await read(server.url, { client: kind })).toMatchObject({ error });
  });

  test('takes merged deltas and event types of a newer server', async () => {
    const newer = { type: 'moon-phase', seq: 3, at: 0, phase: 'full' };
    const merged = { type: 'text-delta', text: 'abc', from: 0, seq: 2, at: 0, mood: 'new field' };
    const server = await serve([], [merged, newer, { ...END, seq: 4, at: 0 }]);
    const reading = client.start('reader.py', { url: server.url, id: 'g1', client: kind });
    expect(await reading.whole).toEqual([
      { event: { seq: 2, from: 0, type: 'text-delta', text: 'abc' } },
      { event: { seq: 3, from: 3, type: 'unknown' } },
      { event: { seq: 4, from: 4, type: 'generation-end' } },
      { text: 'abc' },
    ]);
  });

  test('ends at once with a cursor at the end of the log', async () => {
    const server = await serve([]);
    const error = { name: 'GenerationFailedError', message: expect.stringContaining('the events stop') };
    expect(await read(server.url, { client: kind, after: 120 })).toMatchObject({ error });
    expect(server.connections()).toBe(1);
  });

  test('gives up on a server that never returns, and keeps the cursor', async () => {
    const server = await serve([]);
    stop?.();
    const options = { give_up_after_ms: 200 };
    const error = { name: 'ConnectionLostError', after: 7 };
    expect(await read(server.url, { client: kind, after: 7, options })).toMatchObject({ error });
  });

  test('reads on after a read that was cancelled or interrupted, and after an event that took long', async () => {
    const server = await serve([{ kind: 'cut', bytes: 300 }, { kind: 'silent' }, { kind: 'refuse' }]);
    const options = { give_up_after_ms: 700, reconnect_delay_ms: 2 };
    const plan = { url: server.url, client: kind, pauseMs: 1_000, options };
    expect(await client.start('interrupted.py', plan).whole).toEqual([{ givenUp: 1, text: TEXT }]);
  });

  test('sends a retried submit with the same Idempotency-Key', async () => {
    const server = await serve([]);
    expect(await read(server.url, { client: kind, request: { input: 'x' } })).toEqual({ text: TEXT });
    expect(server.keys).toHaveLength(2);
    expect(new Set(server.keys).size).toBe(1);
  });
});
