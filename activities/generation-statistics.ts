/** What statistics count of a generation that has ended, beside what it used. */
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import type { CountedGeneration } from '../engine/budget/ledger.ts';
import type { LogFacts } from '../engine/streaming/log-facts.ts';

/** @param facts null if the log is gone: then nothing is known of times and of failed calls. */
export function statisticsOf(
  order: GenerationOrder,
  outcome: GenerationOutcome,
  facts: LogFacts | null,
): CountedGeneration {
  const { status, cached, saved = null, errorCode, attempts } = outcome;
  const ownFailure =
    status === 'failed' ? [{ provider: null, model: null, code: errorCode ?? 'internal' }] : [];
  return {
    status,
    isCached: cached,
    saved,
    lastCalled: attempts > 0 ? (facts?.lastCalled ?? null) : null,
    failures: [...(facts?.failures ?? []), ...ownFailure],
    ...latenciesOf(order, outcome, facts),
  };
}

/**
 * From the request to the first text and to the end, by the clock of the log, of a whole answer by a model. A line that
 * may have waited at a vendor for hours says nothing of its model.
 */
export function latenciesOf(
  { continues, batchId }: GenerationOrder,
  { status, cached }: GenerationOutcome,
  facts: LogFacts | null,
): Pick<CountedGeneration, 'firstTokenMs' | 'totalMs'> {
  const isWhole = status === 'completed' && !cached && continues === undefined && batchId === undefined;
  if (facts === null || !isWhole) return { firstTokenMs: null, totalMs: null };
  const { createdAtMs, firstTextAtMs, endedAtMs } = facts;
  const since = (atMs: number | null) => (atMs === null ? null : Math.max(0, atMs - createdAtMs));
  return { firstTokenMs: since(firstTextAtMs), totalMs: since(endedAtMs) };
}
