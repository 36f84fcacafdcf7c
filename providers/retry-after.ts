/**
 * How long a vendor asks us to wait, from the head of its refusal. Sources: RFC 9110 10.2.3 (`retry-after` in seconds
 * or as a date), OpenAI (`retry-after-ms`; `x-ratelimit-reset-*` such as `6m0s`), Groq (`2m59.56s`), Anthropic
 * (`anthropic-ratelimit-*-reset` as an RFC 3339 date), OpenRouter (`x-ratelimit-reset` in ms since 1970).
 */
import parseDuration from 'parse-duration';

/** Larger numbers are points in time: in seconds or milliseconds since 1970. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MS = 1_000_000_000_000;

/** @returns milliseconds; undefined where the vendor does not say. */
export function retryAfterMs(headers: Headers | undefined, nowMs = Date.now()): number | undefined {
  if (headers === undefined) return undefined;
  const inMs = wholeNumber(headers.get('retry-after-ms'));
  return inMs ?? waitOf(headers.get('retry-after'), nowMs) ?? untilReset(headers, nowMs);
}

/** The longest wait among the limits that have nothing left; those with room do not matter. */
function untilReset(headers: Headers, nowMs: number): number | undefined {
  const waits = [...headers.entries()].flatMap(([name, value]) => {
    if (!/ratelimit.*remaining/.test(name) || Number(value) !== 0) return [];
    const wait = waitOf(headers.get(name.replace('remaining', 'reset')), nowMs);
    return wait === undefined ? [] : [wait];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** A number of seconds, a duration, a point in time, or a date. */
function waitOf(value: string | null, nowMs: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const number = Number(value);
  if (Number.isFinite(number)) {
    if (number >= EPOCH_MS) return Math.max(0, number - nowMs);
    if (number >= EPOCH_SECONDS) return Math.max(0, number * 1_000 - nowMs);
    return Math.max(0, number * 1_000);
  }
  const date = /\d{4}|GMT/.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(date)) return Math.max(0, date - nowMs);
  const duration = parseDuration(value);
  return duration === null ? undefined : Math.max(0, Math.ceil(duration));
}

function wholeNumber(value: string | null): number | undefined {
  const number = Number(value);
  return value !== null && value !== '' && Number.isFinite(number) ? Math.max(0, number) : undefined;
}

/** A duration such as `39s` or `6m0s`. */
export function durationMs(text: string): number | undefined {
  const duration = parseDuration(text);
  return duration === null ? undefined : Math.max(0, Math.ceil(duration));
}
