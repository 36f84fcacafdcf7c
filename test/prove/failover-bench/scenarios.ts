/**
 * The sixteen scenarios of Failover Bench (methodology 0.1) with their checks, written from its public description. An
 * advisory check that fails makes a pass partial; any other makes it a fail.
 */
import type { Seen } from './ask.ts';

export interface Measured {
  readonly seen: Seen;
  /** When the first model was called, in ms since the start of the scenario. */
  readonly primaryAtMs: readonly number[];
  readonly fallbackCalls: number;
  readonly prefillRefusals: number;
  /** Whether a healthy request succeeded afterwards. */
  readonly isAlive: boolean;
}

interface Check {
  readonly name: string;
  readonly isAdvisory?: true;
  readonly holds: (measured: Measured) => boolean;
}

export interface Scenario {
  readonly id: string;
  readonly fault: string;
  readonly maxMs: number;
  /** The model of the second upstream; `ok` if absent. */
  readonly fallback?: 'ok' | 'no-prefill';
  /** The right result is a clean error. */
  readonly endsInError?: true;
  readonly checks: readonly Check[];
}

const callsAtMost = (most: number): Check => ({
  name: `at most ${most} calls of the first model`,
  holds: ({ primaryAtMs }) => primaryAtMs.length <= most,
});
const callsWithin = (withinMs: number, most: number): Check => ({
  name: `at most ${most} calls within ${withinMs} ms`,
  holds: ({ primaryAtMs: [first = 0, ...rest] }) =>
    1 + rest.filter((atMs) => atMs - first < withinMs).length <= most,
});
const calledAgain: Check = {
  name: 'the same model is called again',
  isAdvisory: true,
  holds: ({ primaryAtMs }) => primaryAtMs.length >= 2,
};
const endsWithin = (mostMs: number): Check => ({
  name: `ends within ${mostMs} ms`,
  holds: ({ seen }) => seen.ms <= mostMs,
});
const isAlive: Check = {
  name: 'answers a healthy request afterwards',
  holds: (measured) => measured.isAlive,
};
const advisory = (check: Check): Check => ({ ...check, isAdvisory: true });
const hasUsage: Check = {
  name: 'reports its usage',
  isAdvisory: true,
  holds: ({ seen }) => seen.usage !== null,
};
const isWhole: Check = { name: 'the answer is whole', isAdvisory: true, holds: ({ seen }) => seen.isWhole };

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 's01',
    fault: '429 with Retry-After: 2, once',
    maxMs: 20_000,
    checks: [
      calledAgain,
      {
        name: 'Retry-After is waited for',
        isAdvisory: true,
        holds: ({ primaryAtMs: [first = 0, second = 0] }) => second - first >= 1_800,
      },
      callsWithin(1_500, 2),
    ],
  },
  {
    id: 's02',
    fault: '429 without Retry-After, persistent',
    maxMs: 40_000,
    checks: [callsWithin(3_000, 4), callsAtMost(6)],
  },
  { id: 's03', fault: '500 once, then healthy', maxMs: 20_000, checks: [calledAgain] },
  { id: 's04', fault: '503 persistent', maxMs: 40_000, checks: [callsAtMost(6)] },
  { id: 's05', fault: 'TCP reset before headers, once', maxMs: 20_000, checks: [] },
  {
    id: 's06',
    fault: 'no response at all',
    maxMs: 130_000,
    checks: [endsWithin(100_000), advisory(callsAtMost(1))],
  },
  { id: 's07', fault: 'first token after 20 s', maxMs: 60_000, checks: [advisory(endsWithin(15_000))] },
  { id: 's08', fault: 'stream cut after 40 of 60 tokens', maxMs: 40_000, checks: [] },
  { id: 's09', fault: 'stream stalls for 30 s', maxMs: 70_000, checks: [endsWithin(45_000), isAlive] },
  { id: 's10', fault: 'malformed chunk in the stream', maxMs: 30_000, checks: [isAlive, isWhole] },
  { id: 's11', fault: 'stream ends without [DONE]', maxMs: 30_000, checks: [endsWithin(8_000), hasUsage] },
  {
    id: 's12',
    fault: '400 context_length_exceeded',
    maxMs: 20_000,
    checks: [{ name: 'one call of the first model', holds: ({ primaryAtMs }) => primaryAtMs.length === 1 }],
  },
  {
    id: 's13',
    fault: '400 content_policy_violation',
    maxMs: 20_000,
    endsInError: true,
    checks: [{ name: 'one call of the first model', holds: ({ primaryAtMs }) => primaryAtMs.length === 1 }],
  },
  {
    id: 's14',
    fault: 'stream cut, and the fallback rejects a prefill',
    maxMs: 40_000,
    fallback: 'no-prefill',
    checks: [
      {
        name: 'the refusal of a prefill does not hide the error',
        holds: ({ seen, prefillRefusals }) => seen.error === null || prefillRefusals === 0,
      },
    ],
  },
  {
    id: 's16',
    fault: '503 persistent: accounting',
    maxMs: 40_000,
    checks: [
      {
        name: "the answer has the fallback's model",
        holds: ({ seen, fallbackCalls }) => fallbackCalls === 0 || seen.model?.includes('ok') === true,
      },
      hasUsage,
      callsAtMost(6),
    ],
  },
];

/** S15: the first model is down for a minute while requests come at a steady pace. */
export const FLAP = {
  id: 's15',
  fault: 'down for 60 s, then healthy; twenty requests',
  requests: 20,
  everyMs: 4_000,
  maxMs: 30_000,
  recoversWithinMs: 30_000,
} as const;

export type Verdict = 'pass' | 'partial' | 'safe' | 'fail';

/** @returns the verdict, and the checks that failed. */
export function judge(scenario: Scenario, measured: Measured): { verdict: Verdict; failed: string[] } {
  const { seen } = measured;
  const broken = scenario.checks.filter(({ holds }) => !holds(measured));
  const failed = broken.map(({ name }) => name);
  if (seen.isHang) return { verdict: 'fail', failed: ['it hangs', ...failed] };
  if (seen.error === null && !seen.isWhole && scenario.endsInError !== true) {
    return { verdict: 'fail', failed: ['another text is presented as the answer', ...failed] };
  }
  if (broken.some(({ isAdvisory }) => isAdvisory !== true)) return { verdict: 'fail', failed };
  const isRescued = scenario.endsInError === true ? seen.error !== null : seen.error === null;
  if (!isRescued) return { verdict: scenario.endsInError === true ? 'partial' : 'safe', failed };
  return { verdict: broken.length === 0 ? 'pass' : 'partial', failed };
}
