import { describe, expect, test } from '@jest/globals';
import { decideRetry } from '../../../activities/attempt/retry-policy.ts';
import { type ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';

const candidate = { provider: 'p', model: 'm' };
const failedWith = (...codes: ErrorCode[]) => ({ errors: codes.map((code) => ({ ...candidate, code })) });

function decide(code: ErrorCode, earlier: ErrorCode[] = [], more: object = {}) {
  const { retryAfterMs, ...call } = { retryAfterMs: undefined as number | undefined, ...more };
  return decideRetry({
    candidate,
    error: new UnbrokenError(code, code, { retryAfterMs }),
    record: failedWith(...earlier),
    isLast: false,
    keyCount: 1,
    restMs: 0,
    random: 0,
    ...call,
  });
}

describe('a malformed response', () => {
  test('is asked for once more', () => {
    expect(decide('provider_malformed')).toMatchObject({ mayRetry: true, onlyResumed: false });
  });

  test('leads to the next candidate after the second time', () => {
    expect(decide('provider_malformed', ['provider_malformed'])).toMatchObject({ mayRetry: false });
  });

  test('is asked for again if no candidate is left', () => {
    expect(decide('provider_malformed', ['provider_malformed'], { isLast: true })).toMatchObject({
      mayRetry: true,
    });
  });
});

describe('the wait before a retry', () => {
  test('doubles with each failure', () => {
    expect(decide('provider_unavailable').waitMs).toBe(100);
    expect(decide('provider_unavailable', ['provider_unavailable']).waitMs).toBe(200);
  });

  test('is never shorter than the provider asks for', () => {
    expect(decide('provider_unavailable', [], { retryAfterMs: 2_000 }).waitMs).toBe(2_000);
    expect(decide('provider_rate_limited', [], { retryAfterMs: 2_000 }).waitMs).toBe(2_000);
  });

  test('has a random part, so that calls that failed together do not return together', () => {
    expect(decide('provider_unavailable', [], { random: 1 }).waitMs).toBe(150);
    expect(decide('provider_rate_limited', [], { random: 1, retryAfterMs: 2_000 }).waitMs).toBe(2_200);
    expect(decide('provider_unavailable', [], { random: 1, retryAfterMs: 25_000 }).waitMs).toBe(26_000);
  });
});
