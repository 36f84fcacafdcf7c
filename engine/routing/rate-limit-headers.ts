/**
 * Reads from the headers of an answer what is left of a key's limits. Sources: OpenAI, "Rate limits in headers"
 * (`x-ratelimit-remaining-requests`, `x-ratelimit-reset-tokens: 6m0s`); Anthropic, "Rate limits"
 * (`anthropic-ratelimit-requests-remaining`, reset as an RFC 3339 date). Other vendors write one or the other.
 */
import { parseWaitMs } from '../../platform/parse-wait.ts';

interface LimitsLeft {
  /** null: unknown, or enough. */
  readonly requests: number | null;
  readonly tokens: number | null;
  /** Until all of these limits are full again. */
  readonly resetMs: number;
  /** Until there is room for one more request, or one more token: a limit refills all the time. null: unknown. */
  readonly msPerRequest: number | null;
  readonly msPerToken: number | null;
}

/** Enough is left above this share of the limit. */
const SCARCE_SHARE = 0.1;

interface Left {
  readonly what: 'requests' | 'tokens';
  readonly left: number;
  readonly resetMs: number;
  readonly msPerUnit: number | null;
}

/** @returns null if the headers say nothing, or enough is left. */
export function scarceLimits(headers: Headers, nowMs: number): LimitsLeft | null {
  const scarce: Left[] = [];
  for (const [name, value] of headers) {
    if (!/ratelimit.*remaining/.test(name)) continue;
    const left = Number(value);
    const limit = Number(headers.get(name.replace('remaining', 'limit')) ?? Number.NaN);
    const resetMs = parseWaitMs(headers.get(name.replace('remaining', 'reset')), nowMs) ?? 0;
    // Some vendors write -1 where there is no limit.
    const isScarce = left >= 0 && left <= (Number.isFinite(limit) ? limit * SCARCE_SHARE : 0);
    if (value !== '' && isScarce && resetMs > 0) {
      // A limit without a unit (OpenRouter) is that of a window, which has no room before its end.
      const refills = /request|token/.test(name) && limit > left;
      const msPerUnit = refills ? resetMs / (limit - left) : null;
      scarce.push({ what: name.includes('token') ? 'tokens' : 'requests', left, resetMs, msPerUnit });
    }
  }
  if (scarce.length === 0) return null;
  const least = (what: Left['what']) => {
    const values = scarce.filter((limit) => limit.what === what).map(({ left }) => left);
    return values.length === 0 ? null : Math.min(...values);
  };
  const slowest = (what: Left['what']) => {
    const refills = scarce.filter((limit) => limit.what === what).map(({ msPerUnit }) => msPerUnit);
    return refills.reduce<number | null>((most, ms) => (ms === null ? most : Math.max(most ?? 0, ms)), null);
  };
  return {
    requests: least('requests'),
    tokens: least('tokens'),
    resetMs: Math.max(...scarce.map(({ resetMs }) => resetMs)),
    msPerRequest: slowest('requests'),
    msPerToken: slowest('tokens'),
  };
}
