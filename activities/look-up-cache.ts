/** Answers from the cache where it can: the stored text is replayed through the log like any other answer. */
import type { CacheLookUp, CacheQuestion } from '../cache/answer-cache.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { NO_USAGE } from '../contracts/money.ts';
import type { CacheStepResult } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { readRecord } from './generation-record.ts';

/** Characters of one replayed delta. */
const REPLAY_CHARS = 4_096;

/** Events of a generation that has an answer of its own, or the beginning of one. */
const BEGUN: ReadonlySet<EventBody['type']> = new Set([
  ...(['provider-start', 'cache-join', 'text-delta', 'reasoning-delta', 'tool-call-delta'] as const),
]);

export function lookUpCache({
  cache,
  cacheSettings,
  log,
}: Pick<Dependencies, 'cache' | 'cacheSettings' | 'log'>) {
  return async (order: GenerationOrder): Promise<CacheStepResult> => {
    const { generationId, cacheMaxAgeMs } = order;
    const [input, events] = await Promise.all([log.readInput(generationId), log.read(generationId, -1)]);
    // Repeated after a crash, it finds what it has replayed; or an answer that has begun, which no other may follow.
    const { outcome } = readRecord(events);
    if (outcome !== null) return { hit: outcome, unavailable: null };
    if (input === null || events.some(({ type }) => BEGUN.has(type))) return { hit: null, unavailable: null };
    const { threshold, judge } = cacheSettings(order.route);
    const limits = { threshold, judge, maxAgeMs: cacheMaxAgeMs ?? null };
    const found = await cache.lookUp(questionOf(order, input), limits);
    const judged = judgementOf(found);
    if (found.outcome !== 'hit') {
      const unavailable = found.outcome === 'unavailable' ? found.reason : null;
      const skipped: EventBody[] = unavailable === null ? [] : [{ type: 'cache-skip', reason: unavailable }];
      if (judged.length + skipped.length > 0) {
        await log.appendOnce(generationId, 'cache-miss', [...judged, ...skipped]);
      }
      return { hit: null, unavailable };
    }
    const { text, provider, model, similarity, storedAtMs, finishReason, entryId } = found.answer;
    const ageMs = Math.max(0, Date.now() - storedAtMs);
    const { usage, costMicroUsd } = found.judgement ?? { usage: NO_USAGE, costMicroUsd: 0 };
    await log.appendOnce(generationId, 'cache-replay', [
      ...judged,
      { type: 'cache-hit', provider, model, similarity, ageMs, entryId },
      ...replayedText(text),
      {
        ...{ type: 'generation-end', provider, model, finishReason, attempts: 0, cached: true },
        ...{ usage, costMicroUsd },
      },
    ]);
    return { hit: await endOf(log.read(generationId, -1)), unavailable: null };
  };
}

function judgementOf({ judgement }: CacheLookUp): EventBody[] {
  return judgement === undefined ? [] : [{ type: 'cache-judge', ...judgement }];
}

/** What is asked of the cache. The same models in another order (by latency, say) are the same question. */
export function questionOf({ tenant, candidates }: GenerationOrder, input: GenerationInput): CacheQuestion {
  return { tenant, candidates, input };
}

/** A stored text as deltas. */
export function replayedText(text: string): EventBody[] {
  const parts = text.match(new RegExp(`[^]{1,${REPLAY_CHARS}}`, 'gu')) ?? [];
  return parts.map((part) => ({ type: 'text-delta', text: part }));
}

async function endOf(reading: Promise<GenerationEvent[]>) {
  return readRecord(await reading).outcome;
}
