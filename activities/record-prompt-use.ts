/** Counts a generation in the statistics of its named prompt. Idempotent. */
import { outputTokensOf } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { LogFacts } from '../engine/streaming/log-facts.ts';
import type { Dependencies } from './dependencies.ts';
import { latenciesOf } from './generation-statistics.ts';

export async function recordPromptUse(
  { promptStats }: Pick<Dependencies, 'promptStats'>,
  { order, outcome }: SettleStep,
  facts: LogFacts | null,
): Promise<void> {
  const { prompt, tenant, generationId, continues } = order;
  if (prompt === undefined) return;
  const { status, finishReason, usage, costMicroUsd, cached, attempts } = outcome;
  const isText = finishReason === 'stop' || finishReason === 'length';
  const isWhole = status === 'completed' && isText && !cached && continues === undefined;
  await promptStats.record({
    tenant,
    generationId,
    prompt,
    status,
    usage,
    costMicroUsd,
    continues: continues?.firstGenerationId ?? null,
    isCached: cached,
    isCutByLength: finishReason === 'length',
    ...latenciesOf(order, outcome, facts),
    // The usage of several attempts counts parts of the answer more than once.
    answerTokens: isWhole && attempts === 1 ? outputTokensOf(usage) : null,
  });
}
