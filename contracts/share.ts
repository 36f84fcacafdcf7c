/** What calls have used, added up and split among generations that share one call. */
import { invariant } from './invariant.ts';
import {
  addUsage,
  audioTokens,
  hourTokens,
  imageTokens,
  type MicroUsd,
  NO_USAGE,
  serviceTier,
  totalTokens,
  type Usage,
} from './money.ts';

export interface Used {
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

export function addUsed(a: Used, b: Used): Used {
  return { usage: addUsage(a.usage, b.usage), costMicroUsd: a.costMicroUsd + b.costMicroUsd };
}

export const NOTHING_USED: Used = { usage: NO_USAGE, costMicroUsd: 0 };

/** What a call used that was not made again, less what is paid for it. */
export interface Saved {
  readonly tokens: number;
  readonly costMicroUsd: MicroUsd;
}

export function savedBy(call: Used, paid: Used): Saved {
  return {
    tokens: Math.max(0, totalTokens(call.usage) - totalTokens(paid.usage)),
    costMicroUsd: Math.max(0, call.costMicroUsd - paid.costMicroUsd),
  };
}

/**
 * Splits evenly, rounded down; the leader pays the remainder.
 * @param by how many share it, the leader included. The leader's part and `by - 1` others add up to the whole.
 */
export function splitCost(
  { usage, costMicroUsd }: Used,
  by: number,
): { readonly leader: Used; readonly each: Used } {
  invariant(Number.isSafeInteger(by) && by >= 1, `a call is shared by at least one generation, not by ${by}`);
  const each = (whole: number) => Math.floor(whole / by);
  const rest = (whole: number) => whole - each(whole) * (by - 1);
  const split = (part: (whole: number) => number): Used => ({
    usage: {
      inputTokens: part(usage.inputTokens),
      ...audioTokens(part(usage.inputAudioTokens ?? 0)),
      cachedInputTokens: part(usage.cachedInputTokens),
      cacheWriteTokens: part(usage.cacheWriteTokens),
      ...hourTokens(part(usage.cacheWriteHourTokens ?? 0)),
      outputTokens: part(usage.outputTokens),
      ...imageTokens(part(usage.outputImageTokens ?? 0)),
      reasoningTokens: part(usage.reasoningTokens),
      estimated: usage.estimated,
      ...serviceTier(usage.serviceTier),
    },
    costMicroUsd: part(costMicroUsd),
  });
  return { leader: split(rest), each: split(each) };
}
