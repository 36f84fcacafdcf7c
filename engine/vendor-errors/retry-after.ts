/**
 * Reads from a refusal how long the vendor asks us to wait. Sources: RFC 9110 10.2.3 (`retry-after`), OpenAI
 * (`retry-after-ms`, `x-ratelimit-reset-*`), Anthropic (`anthropic-ratelimit-*-reset`), OpenRouter
 * (`x-ratelimit-reset`).
 */
import { parseDurationMs, parseWaitMs } from '../../platform/parse-wait.ts';

/**
 * The vendors' sentences about the wait: "Please try again in 9m38.016s" (Groq, OpenAI), "Please retry after 9
 * seconds" (Azure), "Please wait 42563 seconds before retrying" (GitHub Models), "Your quota will reset after 8h44m7s"
 * (Gemini).
 */
const IN_WORDS =
  /\b(?:(?:re)?try(?: again)? (?:in|after)|reset (?:in|after)|wait) ~?((?:\d+(?:\.\d+)? ?(?:h(?:ours?)?|m(?:in(?:utes?)?)?|s(?:ec(?:onds?)?)?|ms) ?)+)\b/i;

/** Words for a limit of a day or a month, which has no room again within minutes. */
const OF_A_DAY =
  /\bper[ -](?:day|month)\b|\b(?:daily|monthly)\b[^.]{0,40}\blimit|\/ ?(?:day|month)\b|\btomorrow\b/i;
/** A vendor may name all of its limits. */
const OF_LESS = /\bper[ -](?:second|minute|hour)\b|\/ ?(?:s|sec|second|min|minute|hour)\b/i;
/** Its end may be near, and the account may get more: one call in this time finds out. */
const NEXT_LOOK_MS = 3_600_000;

/** How long to leave a rate limit alone whose end the vendor does not say; undefined if it may end soon. */
export function waitOfLongLimit(message: string): number | undefined {
  return OF_A_DAY.test(message) && !OF_LESS.test(message) ? NEXT_LOOK_MS : undefined;
}

/** @returns milliseconds; undefined if the vendor does not say. */
export function retryAfterMs(
  headers: Headers | undefined,
  message = '',
  nowMs = Date.now(),
): number | undefined {
  const inWords = waitInWords(message);
  if (headers === undefined) return inWords;
  const inMs = wholeNumber(headers.get('retry-after-ms'));
  return inMs ?? parseWaitMs(headers.get('retry-after'), nowMs) ?? inWords ?? untilReset(headers, nowMs);
}

function waitInWords(message: string): number | undefined {
  const [, duration] = IN_WORDS.exec(message) ?? [];
  return duration === undefined ? undefined : parseDurationMs(duration);
}

/**
 * The longest wait among the exhausted limits; the others do not matter. A limit of requests refills evenly until its
 * reset, so it has room for one much earlier.
 */
function untilReset(headers: Headers, nowMs: number): number | undefined {
  const waits = [...headers.entries()].flatMap(([name, value]) => {
    if (!/ratelimit.*remaining/.test(name) || Number(value) !== 0) return [];
    const wait = parseWaitMs(headers.get(name.replace('remaining', 'reset')), nowMs);
    if (wait === undefined) return [];
    const limit = Number(headers.get(name.replace('remaining', 'limit')));
    return [name.includes('request') && limit > 0 ? Math.ceil(wait / limit) : wait];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

function wholeNumber(value: string | null): number | undefined {
  const number = Number(value);
  return value !== null && value !== '' && Number.isFinite(number) ? Math.max(0, number) : undefined;
}
