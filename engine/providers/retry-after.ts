/**
 * Reads from the headers of a refusal how long the vendor asks us to wait. Sources: RFC 9110 10.2.3 (`retry-after`),
 * OpenAI (`retry-after-ms`, `x-ratelimit-reset-*`), Anthropic (`anthropic-ratelimit-*-reset`), OpenRouter
 * (`x-ratelimit-reset`).
 */
import { parseWaitMs } from '../../platform/parse-wait.ts';

/** @returns milliseconds; undefined if the vendor does not say. */
export function retryAfterMs(headers: Headers | undefined, nowMs = Date.now()): number | undefined {
  if (headers === undefined) return undefined;
  const inMs = wholeNumber(headers.get('retry-after-ms'));
  return inMs ?? parseWaitMs(headers.get('retry-after'), nowMs) ?? untilReset(headers, nowMs);
}

/** The longest wait among the exhausted limits; the others do not matter. */
function untilReset(headers: Headers, nowMs: number): number | undefined {
  const waits = [...headers.entries()].flatMap(([name, value]) => {
    if (!/ratelimit.*remaining/.test(name) || Number(value) !== 0) return [];
    const wait = parseWaitMs(headers.get(name.replace('remaining', 'reset')), nowMs);
    return wait === undefined ? [] : [wait];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

function wholeNumber(value: string | null): number | undefined {
  const number = Number(value);
  return value !== null && value !== '' && Number.isFinite(number) ? Math.max(0, number) : undefined;
}
