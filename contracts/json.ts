/**
 * Parses JSON without changing its integers. A JavaScript number holds 53 bits, so `JSON.parse` changes the 64-bit
 * bounds that tool schemas contain; such an integer is kept as raw text, which `JSON.stringify` writes unchanged.
 */

/** Source: tc39/proposal-json-parse-with-source, which Node 24 has and TypeScript does not describe yet. */
interface RawJson {
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}
const { rawJSON, isRawJSON, parse } = JSON as unknown as RawJson;

/** 2^53 has 16 digits. A reviver runs for every value, so texts without such a number are parsed without one. */
const LONG_NUMBER = /\d{16}|[eE]\+?\d{3}/;

const INTEGER = /^-?\d+$/;

/** By these methods JavaScript makes a number of an object; a member of that name hides the method. */
const HIDDEN = ['toString', 'valueOf'];
/** In an escape, a name may be written otherwise. */
const MAY_HIDE = /toString|valueOf|\\u/;

/** The check of any schema would throw at it. */
export class HostileLengthError extends SyntaxError {
  override readonly name = 'HostileLengthError';

  constructor() {
    super('A "length" or "size" is an object with a member "toString" or "valueOf".');
  }
}

/** @throws SyntaxError; HostileLengthError, which is one, for a length that cannot be compared with a number */
export function parseJson(text: string): unknown {
  const value = LONG_NUMBER.test(text) ? parse(text, withDigits) : JSON.parse(text);
  if (MAY_HIDE.test(text) && hasHostileLength(value)) throw new HostileLengthError();
  return value;
}

function hasHostileLength(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    // What a schema's bounds read of a value of any kind, and compare with a number.
    const { length, size } = next as { readonly length?: unknown; readonly size?: unknown };
    if (isHostile(length) || isHostile(size)) return true;
    for (const member of Object.values(next)) left.push(member);
  }
  return false;
}

function isHostile(length: unknown): boolean {
  return typeof length === 'object' && length !== null && HIDDEN.some((name) => Object.hasOwn(length, name));
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A number that is kept as raw text, because no JavaScript number equals it. */
interface ExactNumber {
  readonly rawJSON: string;
}

/** A whole number with all its digits. `JSON.stringify` writes it as a number. */
export type WholeNumber = number | ExactNumber;

export function isExactNumber(value: unknown): value is ExactNumber {
  return isRawJSON(value);
}

/** An object with members: no list, and no number that is kept as raw text. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
}

/** The value as a bigint; null if it is no whole number. */
export function toBigInt(value: unknown): bigint | null {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : null;
  return isExactNumber(value) && INTEGER.test(value.rawJSON) ? BigInt(value.rawJSON) : null;
}

export function toWholeNumber(value: bigint): WholeNumber {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : (rawJSON(String(value)) as ExactNumber);
}

/** For a request whose type has numbers alone: the digits stay, because it is sent by `JSON.stringify`. */
export function asNumberInJson(value: WholeNumber): number {
  return value as number;
}

function withDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined) return value;
  const isLost = !Number.isFinite(value) || (INTEGER.test(source) && !Number.isSafeInteger(value));
  return isLost && String(value) !== source ? rawJSON(source) : value;
}
