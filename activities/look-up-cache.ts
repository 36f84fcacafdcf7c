/** Answers from the cache where it can: the stored text is replayed through the log like any other answer. */
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import { NO_USAGE } from '../contracts/money.ts';
import type { CacheStepResult } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { readRecord } from './generation-record.ts';

/** Characters of one replayed delta. */
const REPLAY_CHARS = 4_096;

export function lookUpCache({ cache, log }: Dependencies) {
  return async (order: GenerationOrder): Promise<CacheStepResult> => {
    const { generationId, tenant, candidates } = order;
    const input = await log.readInput(generationId);
    if (input === null) return { hit: null, unavailable: null };
    const found = await cache.lookUp({ tenant, candidates, input });
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

/** A stored text as deltas. */
export function replayedText(text: string): EventBody[] {
  const parts = text.match(new RegExp(`[^]{1,${REPLAY_CHARS}}`, 'gu')) ?? [];
  return parts.map((part) => ({ type: 'text-delta', text: part }));
}

async function endOf(reading: Promise<GenerationEvent[]>) {
  return readRecord(await reading).outcome;
}
