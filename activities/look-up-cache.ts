/** Answers from the cache where it can: the stored text is replayed through the log like any other answer. */
import type { CacheQuestion } from '../cache/answer-cache.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { Candidate, GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { NO_USAGE } from '../contracts/money.ts';
import type { CacheStepResult } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { readRecord } from './generation-record.ts';

/** Characters of one replayed delta. */
const REPLAY_CHARS = 4_096;

export function lookUpCache({ cache, log }: Dependencies) {
  return async (order: GenerationOrder): Promise<CacheStepResult> => {
    const { generationId } = order;
    const input = await log.readInput(generationId);
    if (input === null) return { hit: null, unavailable: null };
    const found = await cache.lookUp(questionOf(order, input));
    if (found.outcome !== 'hit') {
      return { hit: null, unavailable: found.outcome === 'unavailable' ? found.reason : null };
    }
    const { text, provider, model, similarity, storedAtMs, finishReason } = found.answer;
    await log.appendOnce(generationId, 'cache-replay', [
      { type: 'cache-hit', provider, model, similarity, ageMs: Math.max(0, Date.now() - storedAtMs) },
      ...replayedText(text),
      {
        ...{ type: 'generation-end', provider, model, finishReason, attempts: 0, cached: true },
        ...{ usage: NO_USAGE, costMicroUsd: 0 },
      },
    ]);
    return { hit: await endOf(log.read(generationId, -1)), unavailable: null };
  };
}

/** What is asked of the cache. The same models in another order (by latency, say) are the same question. */
export function questionOf({ tenant, candidates }: GenerationOrder, input: GenerationInput): CacheQuestion {
  const name = ({ provider, model }: Candidate) => `${provider}/${model}`;
  return { tenant, candidates: candidates.toSorted((a, b) => (name(a) < name(b) ? -1 : 1)), input };
}

/** A stored text as deltas. */
export function replayedText(text: string): EventBody[] {
  const parts = text.match(new RegExp(`[^]{1,${REPLAY_CHARS}}`, 'gu')) ?? [];
  return parts.map((part) => ({ type: 'text-delta', text: part }));
}

async function endOf(reading: Promise<GenerationEvent[]>) {
  return readRecord(await reading).outcome;
}
