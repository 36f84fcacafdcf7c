/** Answers from the cache where it can: the stored text is replayed through the log like any other answer. */

import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import type { GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { NO_USAGE } from '../contracts/money.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import type { CacheLookUp, CacheQuestion, Judgement } from '../engine/cache/answer-cache.ts';
import { isWholeAnswer } from './attempt/is-whole-answer.ts';
import type { Dependencies } from './dependencies.ts';
import { readRecord } from './generation-record.ts';

/** Characters of one replayed delta. */
const REPLAY_CHARS = 4_096;

/** Events of a generation that has an answer of its own, or the beginning of one. */
const BEGUN: ReadonlySet<EventBody['type']> = new Set([
  'provider-start',
  'cache-join',
  'text-delta',
  'reasoning-delta',
  'tool-call-delta',
]);

/** What a generation is made of, as it stands in Redis when the generation begins. */
export interface Given {
  readonly input: GenerationInput;
  readonly events: readonly GenerationEvent[];
}

/**
 * Looks for a stored answer, and writes nothing but that a judge is asked.
 * @returns null where it is not to be looked for: the caller wishes none, or an answer has begun already, which no other
 * may follow.
 */
export async function lookUpCache(
  { cache, cacheSettings, log }: Pick<Dependencies, 'cache' | 'cacheSettings' | 'log'>,
  order: GenerationOrder,
  { input, events }: Given,
): Promise<CacheLookUp | null> {
  if (!cacheUseOf(order.cache).reads || events.some(({ type }) => BEGUN.has(type))) return null;
  const { threshold, judge } = cacheSettings(order.route);
  const limits = { threshold, judge, maxAgeMs: order.cacheMaxAgeMs ?? null };
  const { judgement = lostJudgement(events), ...found } = await cache.lookUp(
    questionOf(cacheSettings, order, input),
    limits,
    async (call) => {
      const events: EventBody[] = [{ type: 'cache-ask', ...call }];
      return (await log.appendOnce(order.generationId, 'cache-ask', events, 'unopened')) === 'appended';
    },
  );
  const judged = judgement === undefined ? {} : { judgement };
  if (found.outcome !== 'hit' || isWholeAnswer(input, found.answer.text)) return { ...found, ...judged };
  return { ...judged, outcome: 'miss' };
}

/** A judge was asked by a process that died with its judgement: the call is paid as estimated, and not made again. */
function lostJudgement(events: readonly GenerationEvent[]): Judgement | undefined {
  const asked = events.find((event) => event.type === 'cache-ask');
  if (asked?.type !== 'cache-ask' || events.some(({ type }) => type === 'cache-judge')) return undefined;
  const { provider, model, usage, costMicroUsd } = asked;
  return { provider, model, same: false, usage, costMicroUsd };
}

/** Puts what was found into the log. @returns how the generation ended by it; null where it goes on without. */
export async function replayAnswer(
  { log }: Pick<Dependencies, 'log'>,
  { generationId }: GenerationOrder,
  found: CacheLookUp,
): Promise<GenerationOutcome | null> {
  const judged = judgementOf(found);
  if (found.outcome !== 'hit') {
    const skipped: EventBody[] =
      found.outcome === 'unavailable' ? [{ type: 'cache-skip', reason: found.reason }] : [];
    if (judged.length + skipped.length > 0) {
      await log.appendOnce(generationId, 'cache-miss', [...judged, ...skipped], 'unopened');
    }
    return null;
  }
  const { text, provider, model, similarity, storedAtMs, finishReason, entryId } = found.answer;
  const ageMs = Math.max(0, Date.now() - storedAtMs);
  const { usage, costMicroUsd } = found.judgement ?? { usage: NO_USAGE, costMicroUsd: 0 };
  const replay: EventBody[] = [
    ...judged,
    { type: 'cache-hit', provider, model, similarity, ageMs, entryId },
    ...replayedText(text),
    {
      type: 'generation-end',
      provider,
      model,
      finishReason,
      attempts: 0,
      cached: true,
      usage,
      costMicroUsd,
    },
  ];
  // Somebody else may have begun an answer since it was looked up: no other may stand between its pieces.
  await log.appendOnce(generationId, 'cache-replay', replay, 'unopened');
  return readRecord(await log.read(generationId, -1)).outcome;
}

function judgementOf({ judgement }: CacheLookUp): EventBody[] {
  return judgement === undefined ? [] : [{ type: 'cache-judge', ...judgement }];
}

/** What is asked of the cache. The same models in another order (by latency, say) are the same question. */
export function questionOf(
  cacheSettings: Dependencies['cacheSettings'],
  { tenant, user, candidates, route }: GenerationOrder,
  input: GenerationInput,
): CacheQuestion {
  return { tenant, onlyUser: cacheSettings(route).share === 'tenant' ? null : user, candidates, input };
}

/** A stored text as deltas. */
export function replayedText(text: string): EventBody[] {
  const parts = text.match(new RegExp(`[^]{1,${REPLAY_CHARS}}`, 'gu')) ?? [];
  return parts.map((part) => ({ type: 'text-delta', text: part }));
}
