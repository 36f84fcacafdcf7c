/**
 * Parses a wait as vendors write it in their headers. Sources: RFC 9110 10.2.3 (seconds, or a date), OpenAI (`6m0s`,
 * `120ms`), Groq (`2m59.56s`), Anthropic (an RFC 3339 date), OpenRouter (ms since 1970).
 */
import parseDuration from 'parse-duration';

/** A larger number is a point in time, in seconds or milliseconds since 1970. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MS = 1_000_000_000_000;

/**
 * A number of seconds, a duration, a point in time, or a date.
 * @returns milliseconds from now, 0 for the past; undefined for anything else.
 */
export function parseWaitMs(text: string | null, nowMs: number): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  const number = Number(text);
  if (Number.isFinite(number)) {
    if (number >= EPOCH_MS) return Math.max(0, number - nowMs);
    if (number >= EPOCH_SECONDS) return Math.max(0, number * 1_000 - nowMs);
    return Math.max(0, number * 1_000);
  }
  const date = /\d{4}|GMT/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? parseDurationMs(text) : Math.max(0, date - nowMs);
}

/** A duration such as `39s` or `6m0s`, in milliseconds. */
export function parseDurationMs(text: string): number | undefined {
  const duration = parseDuration(text);
  return duration === null ? undefined : Math.max(0, Math.ceil(duration));
}
