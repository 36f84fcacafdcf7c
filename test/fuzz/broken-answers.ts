/** Recorded answers of vendors, broken: in their bytes, in the JSON that they carry, and in their heads. */
import fc from 'fast-check';
import type { Delivery, Fixture } from '../engine/providers/fixture-server.ts';
import { nearly, toJson } from './bad-json.ts';

interface BrokenAnswer {
  readonly fixture: Fixture;
  readonly delivery: Delivery;
  /** How a failure shows it: bytes as numbers tell nobody anything. */
  readonly [fc.toStringMethod]: () => string;
}

const RECORD = /^data: ?(\{.*\})\r?$/gm;
const MEGABYTE = 1_048_576;

type Edit = (text: string) => string;

const pieces = fc.constantFrom(
  '\n',
  '\n\n',
  '\r',
  '\r\n\r\n',
  ': comment\n',
  'data:\n\n',
  'data: null\n\n',
  'data: []\n\n',
  'data: 1\n\n',
  'data: {}\n\n',
  'data: "x"\n\n',
  'data: [DONE]\n\n',
  'event: error\n',
  'event: ping\ndata: {}\n\n',
  'id: 5\n',
  'retry: 1\n',
  'data: {"error":{"message":"x","type":"server_error"}}\n\n',
  'data: {"error":"x"}\n\n',
  'data: {"error":null}\n\n',
  'data: {"__proto__":{"polluted":1}}\n\n',
  '\ufeff',
  '\u0000',
  '{',
  '"',
  '\\',
  'data: {"type":"error"}\n\n',
  `data: {"type":"${'x'.repeat(50_000)}"}\n\n`,
  `: ${'x'.repeat(100_000)}\n`,
  `data: ${'['.repeat(20_000)}\n\n`,
);

/** Bytes as text of one character each, so that an edit may cut inside a character. */
const edit: fc.Arbitrary<Edit> = fc
  .tuple(fc.nat(), fc.nat({ max: 40 }), fc.oneof(pieces, fc.string({ unit: 'binary-ascii', maxLength: 6 })))
  .chain(([place, length, insert]) => {
    const at = (text: string) => place % (text.length + 1);
    return fc.constantFrom<Edit[]>(
      (text) => text.slice(0, at(text)),
      (text) => text.slice(0, at(text)) + text.slice(at(text) + length),
      (text) => text.slice(0, at(text)) + Buffer.from(insert).toString('latin1') + text.slice(at(text)),
      (text) => text.slice(0, at(text) + length) + text.slice(at(text)),
      (text) => text.slice(0, at(text)) + '\xff'.repeat(1 + (length % 3)) + text.slice(at(text) + 1),
    );
  });

/** Records that are left out, sent twice, in another order, or one huge one. */
const recordEdit: fc.Arbitrary<Edit> = fc.tuple(fc.nat(), fc.nat()).chain(([first, second]) => {
  const move = (change: (records: string[], a: number, b: number) => void): Edit => {
    return (text) => {
      const records = text.split('\n\n');
      change(records, first % records.length, second % records.length);
      return records.join('\n\n');
    };
  };
  return fc.constantFrom(
    move((records, a) => void records.splice(a, 1)),
    move((records, a) => void records.splice(a, 0, records[a] ?? '')),
    move(swap),
    move((records, a) => void records.splice(a, 0, `data: {"x":"${'y'.repeat(MEGABYTE)}"}`)),
    move((records) => void records.reverse()),
  );
});

function swap(records: string[], first: number, second: number): void {
  const moved = records[first] ?? '';
  records[first] = records[second] ?? '';
  records[second] = moved;
}

/** The JSON of one record, nearly right. */
function jsonEdit(body: string): fc.Arbitrary<Edit> {
  const records = [...body.matchAll(RECORD)].flatMap(([line, json]) => parsed(line, json));
  if (records.length === 0) return edit;
  return fc.constantFrom(...records).chain(({ line, value }) =>
    nearly(fc.constant(value), 2).map((changed): Edit => {
      const written = Buffer.from(`data: ${toJson(changed)}`).toString('latin1');
      return (text) => text.replace(line, () => written);
    }),
  );
}

function parsed(line: string, json: string | undefined): { line: string; value: unknown }[] {
  try {
    return [{ line, value: JSON.parse(Buffer.from(json ?? '', 'latin1').toString()) }];
  } catch {
    return [];
  }
}

const heads = fc.oneof(
  { arbitrary: fc.constant((fixture: Fixture) => fixture), weight: 12 },
  {
    arbitrary: fc
      .constantFrom(200, 201, 204, 400, 401, 404, 408, 413, 418, 429, 451, 500, 503, 529, 599)
      .map((status) => (fixture: Fixture) => ({ ...fixture, status })),
    weight: 2,
  },
  {
    arbitrary: fc
      .constantFrom<Record<string, string>[]>(
        { 'content-type': 'text/html' },
        { 'content-type': '' },
        { 'content-encoding': 'gzip' },
        { 'retry-after': 'soon' },
        { 'retry-after': '-1', 'retry-after-ms': 'NaN' },
        { 'retry-after': '99999999999' },
        { 'x-ratelimit-reset-requests': '9999999999h', 'x-ratelimit-remaining-requests': '-1' },
        { location: 'http://[' },
      )
      .map((headers) => (fixture: Fixture) => ({ ...fixture, headers: { ...fixture.headers, ...headers } })),
    weight: 2,
  },
);

export function brokenAnswers(fixtures: readonly Fixture[]): fc.Arbitrary<BrokenAnswer> {
  return fc.constantFrom(...fixtures).chain((fixture) => {
    const body = fixture.body.toString('latin1');
    const edits = fc.array(
      fc.oneof(
        { arbitrary: jsonEdit(body), weight: 5 },
        { arbitrary: edit, weight: 3 },
        { arbitrary: recordEdit, weight: 2 },
      ),
      { minLength: 1, maxLength: 3 },
    );
    const delivery = fc.oneof(
      fc.constant<Delivery>('whole'),
      fc.nat({ max: body.length }).map((at): Delivery => ({ splitAt: at + 1 })),
    );
    return fc.tuple(edits, heads, delivery).map(([all, head, delivered]) => {
      const changed = all.reduce((text, edit) => edit(text), body);
      // A response of 204 has no body, and Node refuses to write one.
      const made = head({ ...fixture, body: Buffer.from(changed, 'latin1') });
      const broken = made.status === 204 ? { ...made, body: Buffer.alloc(0) } : made;
      const shown = () => JSON.stringify({ ...broken, body: broken.body.toString('latin1'), delivered });
      return { fixture: broken, delivery: delivered, [fc.toStringMethod]: shown };
    });
  });
}
