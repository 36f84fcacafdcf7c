/**
 * Measures what a JSON text would cost, in one pass over its bytes, before it is parsed. A limit on bytes is not
 * enough: eight megabytes of brackets become a hundred megabytes of objects, and two megabytes of `{},` take half a
 * minute to check.
 */
export interface JsonLimits {
  /** Levels of nesting. */
  readonly depth: number;
  /** Number of values, counted by the comma or bracket before each. */
  readonly values: number;
  /** Whether half of a character is no fault. */
  readonly takesHalves?: true;
}

/** `surrogate`: an escape for half of a character, which UTF-8 cannot encode. */
export type JsonFault = 'depth' | 'values' | 'surrogate';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const LETTER_U = 0x75;
const OPENING_BRACKET = 0x5b;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACKET = 0x5d;
const CLOSING_BRACE = 0x7d;

/** The first fault of a text in UTF-8, or null. The result for text that is not JSON is unspecified. */
export function jsonFault(text: Uint8Array, limits: JsonLimits): JsonFault | null {
  let depth = 0;
  let values = 0;
  let inString = false;
  // Texts without an escape are most of a large body, and are passed over natively.
  let backslash = -1;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (inString) {
      if (byte === QUOTE) inString = false;
      else if (byte === BACKSLASH) {
        const after = afterEscape(text, at);
        if (after === null && limits.takesHalves !== true) return 'surrogate';
        at = after ?? at + 5;
      }
    } else if (byte === QUOTE) {
      const end = text.indexOf(QUOTE, at + 1);
      if (backslash <= at) backslash = positionOf(text, BACKSLASH, at + 1);
      if (end > 0 && end < backslash) at = end;
      else inString = true;
    } else if (byte === COMMA) {
      values += 1;
    } else if (byte === OPENING_BRACKET || byte === OPENING_BRACE) {
      depth += 1;
      values += 1;
      if (depth > limits.depth) return 'depth';
    } else if (byte === CLOSING_BRACKET || byte === CLOSING_BRACE) {
      depth -= 1;
    }
    if (values > limits.values) return 'values';
  }
  return null;
}

function positionOf(text: Uint8Array, byte: number, from: number): number {
  const at = text.indexOf(byte, from);
  return at < 0 ? text.length : at;
}

/** Index of the last byte of the escape at `at`, or of the pair that it starts; null for half of a pair. */
function afterEscape(text: Uint8Array, at: number): number | null {
  const unit = escapedUnit(text, at);
  if (unit === null) return at + 1;
  if (unit < 0xd800 || unit > 0xdfff) return at + 5;
  const low = unit < 0xdc00 ? escapedUnit(text, at + 6) : null;
  return low !== null && low >= 0xdc00 && low <= 0xdfff ? at + 11 : null;
}

/** The code unit of the `\uXXXX` at `at`; null when there is none. */
function escapedUnit(text: Uint8Array, at: number): number | null {
  if (text[at] !== BACKSLASH || text[at + 1] !== LETTER_U) return null;
  let unit = 0;
  for (let digit = at + 2; digit < at + 6; digit += 1) {
    const value = hexValue(text[digit] ?? 0);
    if (value === null) return null;
    unit = unit * 16 + value;
  }
  return unit;
}

function hexValue(byte: number): number | null {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : null;
}
