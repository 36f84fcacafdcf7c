/** One request for a route: a path, a query, headers and bytes, each as it should be or not. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { AppRoute } from './app-routes.ts';
import { nearly, toJson } from './bad-json.ts';
import { goodBodies, queriesOf } from './route-bodies.ts';

export interface FuzzRequest {
  readonly method: string;
  /** With the query, as it stands in the first line. */
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | null;
  readonly caller: 'admin' | 'user' | 'nobody' | 'stranger';
}

/** Names that lead somewhere, by the parameter of a path. */
export type KnownNames = Readonly<Record<string, readonly string[]>>;

const badSegment = fc.oneof(
  fc.constantFrom(
    '%00',
    '%2F..%2F..%2Fetc',
    '%C0%80',
    '%',
    '%zz',
    '%ED%A0%80',
    '..',
    '.',
    '__proto__',
    'constructor',
  ),
  fc.constantFrom(
    '0',
    '-1',
    '1e9',
    'NaN',
    '9007199254740993',
    'gen_unknown',
    '*',
    '%20',
    '%F0%9F%92%A5',
    'a%0d%0ab',
  ),
  fc.constantFrom('x'.repeat(300), 'x'.repeat(1_200), 'x'.repeat(9_000), '%F0%9F%92%A5'.repeat(400)),
  fc
    .string({ unit: 'binary', minLength: 1, maxLength: 20 })
    .map((text) => encodeURIComponent(text.toWellFormed())),
);

function pathsOf({ path }: AppRoute, known: KnownNames): fc.Arbitrary<string> {
  const segments = path.split('/').map((segment) => {
    const [, name] = /^[:*](\w+)$/.exec(segment) ?? [];
    if (name === undefined) return fc.constant(segment);
    const good = known[name] ?? known['id'] ?? ['x'];
    return fc.oneof({ arbitrary: fc.constantFrom(...good), weight: 4 }, { arbitrary: badSegment, weight: 1 });
  });
  return fc.tuple(...segments).map((parts) => parts.join('/'));
}

const queryValue = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1',
    '5',
    '100',
    '101',
    '1e3',
    'NaN',
    'true',
    '99999999999999999999',
    '%00',
    '%ff',
    '+',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed())),
  fc.constantFrom('x'.repeat(2_000)),
);

const headerText = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1',
    '5',
    '3.5',
    '1e3',
    'NaN',
    'on',
    'off',
    'cancel',
    'Bearer',
    '"',
    '\t',
    '\u00e9\u00ff',
  ),
  fc.constantFrom('x'.repeat(255), 'x'.repeat(256), 'x'.repeat(4_000), '__proto__', 'gen_unknown', 'null'),
  fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?')),
);

const HEADERS = [
  'idempotency-key',
  'last-event-id',
  'accept',
  'accept-encoding',
  'cookie',
  'origin',
  'range',
  'x-unbroken-cache',
  'x-unbroken-task',
  'x-unbroken-prompt-caching',
  'x-unbroken-priority',
  'x-unbroken-deadline-ms',
  'x-unbroken-generation-id',
  'x-unbroken-on-abort',
  'traceparent',
  'tracestate',
  'baggage',
  'x-forwarded-proto',
  'if-none-match',
  'x-http-method-override',
  'access-control-request-method',
  'upgrade-insecure-requests',
];

/** The ids are of other tenants too: a header may name a generation. */
function oddHeaders({ id: ids = ['x'] }: KnownNames) {
  const named = fc.tuple(fc.constant('x-unbroken-generation-id'), fc.constantFrom(...ids));
  const odd = fc.tuple(fc.constantFrom(...HEADERS), headerText);
  return fc.array(fc.oneof({ arbitrary: odd, weight: 5 }, { arbitrary: named, weight: 1 }), { maxLength: 3 });
}

interface Sent {
  readonly bytes: Buffer;
  readonly headers: readonly (readonly [string, string])[];
}

const JSON_TYPE = ['content-type', 'application/json'] as const;
const sent = (bytes: Buffer, ...headers: readonly (readonly [string, string])[]): Sent => ({
  bytes,
  headers,
});

/** What the network and other programs make of a text. */
const transport = fc.oneof(
  { arbitrary: fc.constant((text: string) => sent(Buffer.from(text), JSON_TYPE)), weight: 40 },
  {
    arbitrary: fc.constantFrom(
      (text: string) => sent(Buffer.from(text)),
      (text: string) => sent(Buffer.from(text), ['content-type', 'text/plain']),
      (text: string) => sent(Buffer.from(text), ['content-type', 'application/json; charset="']),
      (text: string) =>
        sent(Buffer.from(text), ['content-type', 'application/json; charset=utf-8; charset=x']),
      (text: string) => sent(Buffer.from(text), ['content-type', 'application/json; charset=utf-7']),
      (text: string) =>
        sent(Buffer.from(text, 'utf16le'), ['content-type', 'application/json; charset=utf-16le']),
      (text: string) => sent(Buffer.from(text, 'latin1'), JSON_TYPE),
      (text: string) => sent(Buffer.from(`\ufeff${text}`), JSON_TYPE),
      (text: string) => sent(gzipSync(text), JSON_TYPE, ['content-encoding', 'gzip']),
      (text: string) => sent(gzipSync(text).subarray(0, -6), JSON_TYPE, ['content-encoding', 'gzip']),
      (text: string) => sent(Buffer.from(text), JSON_TYPE, ['content-encoding', 'gzip']),
      (text: string) => sent(Buffer.from(text), JSON_TYPE, ['content-encoding', 'x-none, gzip']),
      (text: string) => sent(Buffer.from(`${text}${text}`), JSON_TYPE),
    ),
    weight: 4,
  },
  {
    arbitrary: fc
      .nat()
      .map((at) => (text: string) => sent(Buffer.from(text.slice(0, at % (text.length + 1))), JSON_TYPE)),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }))
      .map(([place, odd]) => (text: string) => {
        const bytes = Buffer.from(text);
        const at = place % (bytes.length + 1);
        return sent(Buffer.concat([bytes.subarray(0, at), odd, bytes.subarray(at)]), JSON_TYPE);
      }),
    weight: 2,
  },
);

/** Requests for the route; `known` has the ids that exist. */
export function requestsFor(route: AppRoute, known: KnownNames): fc.Arbitrary<FuzzRequest> {
  const good = goodBodies(route) ?? fc.constant({});
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE';
  const body = fc.tuple(nearly(good), transport).map(([value, send]) => send(toJson(value)));
  return fc
    .record({
      path: pathsOf(route, known),
      query: queriesOf(route, queryValue),
      odd: oddHeaders(known),
      body: hasBody
        ? fc.option(body, { freq: 12 })
        : fc.option(body, { freq: 1 }).map((content) => (route.method === 'GET' ? null : content)),
      caller: fc.oneof(
        { arbitrary: fc.constant('admin' as const), weight: 14 },
        { arbitrary: fc.constant('user' as const), weight: 2 },
        { arbitrary: fc.constantFrom('nobody' as const, 'stranger' as const), weight: 1 },
      ),
    })
    .map(({ path, query, odd, body: made, caller }) => ({
      method: route.method,
      target: `${path}${query}`,
      headers: [...odd, ...(made?.headers ?? [])],
      body: made?.bytes ?? null,
      caller,
    }));
}
