/** Counts a generation in the statistics of its named prompt. Idempotent. */
import type { GenerationEvent } from '../contracts/events.ts';
import { outputTokensOf } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';

export async function recordPromptUse(
  { log, promptStats }: Pick<Dependencies, 'log' | 'promptStats'>,
  { order, outcome }: SettleStep,
): Promise<void> {
  const { prompt, tenant, generationId, continues } = order;
  if (prompt === undefined) return;
  const { status, finishReason, usage, costMicroUsd, cached, attempts } = outcome;
  const isWhole = status === 'completed' && !cached && continues === undefined;
  const times = timesOf(await log.read(generationId, -1));
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
    firstTokenMs: isWhole ? times.firstTokenMs : null,
    totalMs: isWhole ? times.totalMs : null,
    // The usage of several attempts counts parts of the answer more than once.
    answerTokens: isWhole && attempts === 1 && finishReason !== 'tool-calls' ? outputTokensOf(usage) : null,
  });
}

/** From the request to the first text and to the end, by the clock of the log. */
function timesOf(events: readonly GenerationEvent[]) {
  const begin = events[0]?.at;
  const first = events.find((event) => event.type === 'text-delta')?.at;
  const end = events.at(-1)?.at;
  const since = (at: number | undefined) => (begin === undefined || at === undefined ? null : at - begin);
  return { firstTokenMs: since(first), totalMs: since(end) };
}
