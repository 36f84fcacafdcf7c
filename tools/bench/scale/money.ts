/** What a plan costs a day, next to the tokens that it generates. */
import { NO_USAGE } from '../../../contracts/money.ts';
import { costOf } from '../../../engine/models/price.ts';
import {
  DAYS_PER_MONTH,
  HOURS_PER_DAY,
  INPUT_TOKENS,
  PRICED_MODELS,
  USD_PER_DISK_GB_MONTH,
} from './assumptions.ts';
import { ENGINES, type Needs } from './needs.ts';

/** Nodes for the peak, all day long: an autoscaler needs fewer. In USD. */
export function nodesUsdPerDay({ engines }: Needs): number {
  return ENGINES.reduce(
    (sum, name) => sum + engines[name].nodes * engines[name].node.usdPerHour * HOURS_PER_DAY,
    0,
  );
}

/** Twice: each disk has its copy. */
export function disksUsdPerDay(needs: Needs): number {
  const redisGB = needs.redisRunningGB + needs.redisEndedGB + needs.redisBooksGB;
  const { memoryGB } = needs.engines.Qdrant;
  return ((needs.temporalDiskGB * 2 + redisGB * 2 * 2 + memoryGB) * USD_PER_DISK_GB_MONTH) / DAYS_PER_MONTH;
}

interface TokenBill {
  readonly model: string;
  readonly usdPerDay: number;
}

export function tokenBills({ perDay }: Needs, outputTokens: number): TokenBill[] {
  return PRICED_MODELS.map(({ provider, model }) => {
    const usage = { ...NO_USAGE, inputTokens: INPUT_TOKENS, outputTokens };
    const { costMicroUsd, isKnown } = costOf({ provider, model }, usage, {});
    if (!isKnown) throw new Error(`${provider}/${model} has no price`);
    return { model, usdPerDay: (perDay * costMicroUsd) / 1e6 };
  });
}
