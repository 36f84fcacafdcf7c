/** JSON that is nearly right: a good value, and changes of it that the other side did not think of. */
import fc from 'fast-check';

/** A piece of JSON text that no JavaScript value is written as, such as `1e999` or a lone surrogate. */
export class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** As `JSON.stringify`, with every `JsonText` as it is. */
export function toJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`)
    .join(',')}}`;
}

const nested = (depth: number) => new JsonText(`${'['.repeat(depth)}1${']'.repeat(depth)}`);
const nestedObjects = (depth: number) => new JsonText(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
/** `{ [key]: value }` as an own property, also where the key is `__proto__`. */
const own = (key: string, value: unknown) => Object.fromEntries([[key, value]]);

const badKeys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '$ref', 'then', ''];

export const badText: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom('', ' ', '\u0000', 'NaN', 'Infinity', 'null', '-1', '../..', '%s%n', '\u202e', '💥'),
  fc.constantFrom(...badKeys),
  fc.constantFrom('a/b', 'simulated/sim-large', 'constructor/x', '__proto__/x', 'unbroken/__proto__', '/'),
  fc.constantFrom(new JsonText('"\\ud800"'), new JsonText('"x\\udfffy"'), new JsonText('"\\u0000"')),
  fc.integer({ min: 1, max: 20_000 }).map((length) => 'x'.repeat(length)),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const badNumber: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21, 1e308),
  fc.constantFrom(
    ...['-0', '1e999', '-1e999', '1e-999', '123456789012345678901234567890'].map(
      (text) => new JsonText(text),
    ),
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Values that stand where another kind was expected. */
export const badValue: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: badText, weight: 4 },
  { arbitrary: badNumber, weight: 4 },
  { arbitrary: fc.constantFrom(null, true, false, [], {}, [[]], [null], { a: null }), weight: 3 },
  {
    arbitrary: fc.constantFrom(
      own('__proto__', { polluted: true }),
      own('constructor', { prototype: { polluted: true } }),
      own('then', 1),
      own('toJSON', 'x'),
      own('length', 1e9),
      own('0', 'x'),
    ),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom(nested(20), nested(99), nested(101), nested(3_000), nestedObjects(60)),
    weight: 1,
  },
  {
    arbitrary: fc.constantFrom(new Array(300).fill(0), new Array(1_100).fill('x'), new Array(40).fill({})),
    weight: 1,
  },
  { arbitrary: fc.jsonValue({ maxDepth: 3 }), weight: 2 },
);

type Change = (value: unknown) => unknown;
const GONE = Symbol('gone');

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    arbitrary: badValue.map(
      (value): Change =>
        () =>
          value,
    ),
    weight: 6,
  },
  { arbitrary: fc.constant<Change>(() => GONE), weight: 2 },
  { arbitrary: fc.constant<Change>((value) => [value]), weight: 1 },
  {
    arbitrary: fc.integer({ min: 2, max: 6 }).map(
      (times): Change =>
        (value) =>
          new Array(times).fill(value),
    ),
    weight: 1,
  },
  {
    arbitrary: fc.tuple(fc.oneof(fc.constantFrom(...badKeys), fc.string({ maxLength: 12 })), badValue).map(
      ([key, value]): Change =>
        (at) =>
          typeof at === 'object' && at !== null && !Array.isArray(at) && !(at instanceof JsonText)
            ? Object.fromEntries([...Object.entries(at), [key, value]])
            : value,
    ),
    weight: 3,
  },
);

type Path = readonly string[];

function pathsOf(value: unknown, here: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || value instanceof JsonText) return [here];
  return [here, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...here, key]))];
}

function changedAt(value: unknown, [key, ...rest]: Path, apply: Change): unknown {
  if (key === undefined) return apply(value);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, member]) => [name, name === key ? changedAt(member, rest, apply) : member] as const)
    .filter(([, member]) => member !== GONE);
  return Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}

/** The good value, changed in up to `most` places; in none of them once in a while. */
export function nearly(good: fc.Arbitrary<unknown>, most = 3): fc.Arbitrary<unknown> {
  const changes = fc.array(fc.tuple(fc.nat(), change), { maxLength: most, size: 'max' });
  return fc.tuple(good, changes).map(([value, made]) => {
    let now = value;
    for (const [place, apply] of made) {
      const paths = pathsOf(now);
      now = changedAt(now, paths[place % paths.length] ?? [], apply);
    }
    return now === GONE ? null : now;
  });
}
