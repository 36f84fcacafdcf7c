/**
 * What a provider's answer says of its limits. Sources: OpenAI, "Rate limits in headers" (`x-ratelimit-*`, reset as a
 * duration such as `6m0s`); Anthropic, "Rate limits" (`anthropic-ratelimit-*`, reset as a date). Vendors with OpenAI's
 * format mostly use OpenAI's headers.
 */
export interface LimitsLeft {
  /** null: not told. */
  readonly requests: number | null;
  readonly tokens: number | null;
  readonly resetMs: number;
}

/** What is left below this share of the limit is worth telling the others. */
const SCARCE_SHARE = 0.1;

/** @returns null where nothing is said, or enough is left. */
export function scarceLimits(headers: Headers, nowMs: number): LimitsLeft | null {
  const requests = readOne(headers, 'requests', nowMs);
  const tokens = readOne(headers, 'tokens', nowMs);
  const scarce = [requests, tokens].filter((one) => one !== null && one.left <= one.limit * SCARCE_SHARE);
  if (scarce.length === 0) return null;
  const resetMs = Math.max(...scarce.map((one) => one?.resetMs ?? 0));
  if (resetMs <= 0) return null;
  return {
    requests: requests !== null && scarce.includes(requests) ? requests.left : null,
    tokens: tokens !== null && scarce.includes(tokens) ? tokens.left : null,
    resetMs,
  };
}

function readOne(headers: Headers, what: 'requests' | 'tokens', nowMs: number) {
  const names = {
    left: [`x-ratelimit-remaining-${what}`, `anthropic-ratelimit-${what}-remaining`],
    limit: [`x-ratelimit-limit-${what}`, `anthropic-ratelimit-${what}-limit`],
    reset: [`x-ratelimit-reset-${what}`, `anthropic-ratelimit-${what}-reset`],
  };
  const get = (candidates: readonly string[]) =>
    candidates.map((name) => headers.get(name)).find((value) => value !== null) ?? null;
  const left = numberOf(get(names.left));
  if (left === null) return null;
  return {
    left,
    limit: numberOf(get(names.limit)) ?? Math.max(1, left),
    resetMs: durationMs(get(names.reset), nowMs),
  };
}

function numberOf(text: string | null): number | null {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `6m0s`, `120ms`, seconds such as `7.5`, or a date. 0 where it is none of these, or is over. */
export function durationMs(text: string | null, nowMs: number): number {
  if (text === null) return 0;
  const trimmed = text.trim();
  if (/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(trimmed)) {
    const parts = [...trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)];
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  }
  const seconds = numberOf(trimmed);
  if (seconds !== null) return seconds * 1_000;
  const date = Date.parse(trimmed);
  return Number.isNaN(date) ? 0 : Math.max(0, date - nowMs);
}
