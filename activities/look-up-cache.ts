/** Looks up a stored answer, and builds the events that replay it. */
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { endingOf } from '../contracts/ending.ts';
import type { EventBody, GenerationEvent } from '../contracts/events.ts';
import { textDeltas } from '../contracts/fold-events.ts';
import type { GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { NOTHING_USED, type Saved, savedBy } from '../contracts/share.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import type { CachedAnswer, CacheLookUp, CacheQuestion, Judgement } from '../engine/cache/answer-cache.ts';
import type { Dependencies } from './dependencies.ts';
import { readRecord } from './generation-record.ts';

/** Characters of one replayed delta. */
const REPLAY_CHARS = 4_096;

/** Events of a generation whose answer has begun. */
const BEGUN: ReadonlySet<EventBody['type']> = new Set([
  'provider-start',
  'cache-join',
  'text-delta',
  'text-start',
  'native-part',
  'reasoning-delta',
  'tool-call-delta',
]);

/** A generation as Redis has it when it begins. */
export interface StoredGeneration {
  readonly input: GenerationInput;
  readonly events: readonly GenerationEvent[];
}

/**
 * Looks for a stored answer. Writes only that a judge is asked, because that costs money.
 * @returns null if no look-up is allowed: the caller wants none, or an answer has begun already.
 */
export async function lookUpCache(
  { cache, cacheSettings, log, outputs }: Pick<Dependencies, 'cache' | 'cacheSettings' | 'log' | 'outputs'>,
  order: GenerationOrder,
  { input, events }: StoredGeneration,
): Promise<CacheLookUp | null> {
  if (!cacheUseOf(order.cache).reads || events.some(({ type }) => BEGUN.has(type))) return null;
  const { acceptedFalseHits, judge } = cacheSettings(order.route);
  const limits = { acceptedFalseHits, judge, maxAgeMs: order.cacheMaxAgeMs ?? null };
  const { judgement = lostJudgement(events), ...found } = await cache.lookUp(
    questionOf(cacheSettings, order, input),
    limits,
    async (call) => {
      const events: EventBody[] = [{ type: 'cache-ask', ...call }];
      return (await log.appendOnce(order.generationId, 'cache-ask', events, 'unopened')) === 'appended';
    },
  );
  const judged = judgement === undefined ? {} : { judgement };
  if (found.outcome !== 'hit') return { ...found, ...judged };
  const { text } = found.answer;
  if (await isWholeAnswer({ outputs }, order, { ...input, text })) return { ...found, ...judged };
  return { ...judged, outcome: 'miss' };
}

/** A process died before its judge answered: that call is paid as estimated, and not repeated. */
function lostJudgement(events: readonly GenerationEvent[]): Judgement | undefined {
  const call = events.find((event) => event.type === 'cache-ask');
  if (call?.type !== 'cache-ask' || events.some(({ type }) => type === 'cache-judge')) return undefined;
  const { provider, model, usage, costMicroUsd } = call;
  return { provider, model, same: false, usage, costMicroUsd };
}

/** Writes the result of the look-up to the log. @returns the outcome of a hit; null if the generation continues. */
export async function replayAnswer(
  { log, priceOf }: Pick<Dependencies, 'log' | 'priceOf'>,
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
  const { text, provider, model, finishReason, stopSequence } = found.answer;
  const { usage, costMicroUsd } = found.judgement ?? NOTHING_USED;
  const replay: EventBody[] = [
    ...judged,
    cacheHitOf(found.answer),
    ...replayedText(text),
    {
      type: 'generation-end',
      provider,
      model,
      finishReason,
      ...endingOf({ stopSequence }),
      attempts: 0,
      cached: true,
      usage,
      costMicroUsd,
      saved: savedByAnswer({ priceOf }, found.answer),
    },
  ];
  // Another process may have begun an answer since the look-up; `unopened` keeps the two from mixing.
  await log.appendOnce(generationId, 'cache-replay', replay, 'unopened');
  return readRecord(await log.read(generationId, -1)).outcome;
}

/** The event that says where the answer comes from. */
export function cacheHitOf(answer: CachedAnswer): Extract<EventBody, { type: 'cache-hit' }> {
  const { provider, model, similarity, matchedBy, probability, storedAtMs, entryId, questionId } = answer;
  const ageMs = Math.max(0, Date.now() - storedAtMs);
  const found = { similarity, matchedBy, ...(probability === undefined ? {} : { probability }) };
  return { type: 'cache-hit', provider, model, ...found, ageMs, entryId, questionId };
}

/** What the answer would have cost again. */
export function savedByAnswer(
  { priceOf }: Pick<Dependencies, 'priceOf'>,
  { provider, model, usage }: CachedAnswer,
): Saved {
  return savedBy({ usage, costMicroUsd: priceOf(provider, model, usage) }, NOTHING_USED);
}

function judgementOf({ judgement }: CacheLookUp): EventBody[] {
  return judgement === undefined ? [] : [{ type: 'cache-judge', ...judgement }];
}

/** The question for the cache. The same models in another order, such as by latency, are the same question. */
export function questionOf(
  cacheSettings: Dependencies['cacheSettings'],
  { tenant, user, candidates, route }: GenerationOrder,
  input: GenerationInput,
): CacheQuestion {
  return { tenant, onlyUser: cacheSettings(route).share === 'tenant' ? null : user, candidates, input };
}

/** A stored text as deltas. */
export function replayedText(text: string): EventBody[] {
  return textDeltas(text, REPLAY_CHARS);
}

/**
 * True if a text that ended normally is an answer to this input: where JSON was requested, it is JSON that fits the
 * schema. Models without constrained decoding sometimes write prose, and the cache must not give that to others.
 */
export async function isWholeAnswer(
  { outputs }: Pick<Dependencies, 'outputs'>,
  { tenant }: Pick<GenerationOrder, 'tenant'>,
  { output, outputCheck, text }: Pick<GenerationInput, 'output' | 'outputCheck'> & { readonly text: string },
): Promise<boolean> {
  if (output === undefined) return true;
  if (outputCheck !== undefined) return (await outputs.check(tenant, output, text)).result === 'fits';
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
