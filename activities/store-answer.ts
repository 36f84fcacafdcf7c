/** Stores a whole answer for later generations with the same question. */
import { endingOf } from '../contracts/ending.ts';
import type { GenerationEvent } from '../contracts/events.ts';
import { textOf } from '../contracts/fold-events.ts';
import { LIMITS } from '../contracts/limits.ts';
import { addUsage, type Usage } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { isWholeAnswer, questionOf } from './look-up-cache.ts';
import { waitAtMost } from './wait-at-most.ts';

export function storeAnswer({ cache, cacheSettings, flights, log, outputs }: Dependencies) {
  const store = async ({ order, outcome }: SettleStep): Promise<void> => {
    const { provider, model, finishReason, attempts } = outcome;
    // Without a call to a provider its answer came from a leader, which stores it.
    if (provider === null || model === null || finishReason !== 'stop' || attempts === 0) return;
    const { generationId, user } = order;
    const [input, events] = await Promise.all([log.readInput(generationId), log.read(generationId, -1)]);
    const text = textOf(events);
    if (input === null || text === '' || hasMoreThanText(events)) return;
    if (!(await isWholeAnswer({ outputs }, order, { ...input, text }))) return;
    const last = events.at(-1);
    const { acceptedFalseHits, ttlMs, judge, singleFlight } = cacheSettings(order.route);
    const question = questionOf(cacheSettings, order, input);
    const answer = {
      text,
      provider,
      model,
      finishReason,
      ...(last?.type === 'generation-end' ? endingOf({ stopSequence: last.stopSequence }) : {}),
      user,
      ttlMs,
      generationId,
      usage: last === undefined ? outcome.usage : wholeUsage(last, outcome.usage),
      storedAtMs: last?.at ?? Date.now(),
      mayStore: () => log.markStored(generationId),
    };
    const isStored =
      order.cache === 'refresh'
        ? await cache.replace(question, answer, { acceptedFalseHits, judge, maxAgeMs: null })
        : await cache.store(question, answer);
    if (isStored && order.cache === 'on' && singleFlight) await flights.forget(question, generationId);
  };
  // The step that ends a run is retried until it succeeds: an embedder that never answers would keep the run open.
  return async (step: SettleStep): Promise<void> => {
    const stored = store(step).then(() => true);
    if ((await waitAtMost(LIMITS.storeAnswerMs, stored)) === null) {
      throw new Error(`The answer was not stored within ${LIMITS.storeAnswerMs} ms.`);
    }
  };
}

/** What the call used, including the shares of its followers. */
function wholeUsage(last: GenerationEvent, own: Usage): Usage {
  if (last.type !== 'generation-end' || last.shared === undefined) return own;
  const { by, usage } = last.shared;
  return Array.from({ length: by - 1 }).reduce<Usage>((sum) => addUsage(sum, usage), own);
}

/** A stored answer is one text: tool calls, citations and the borders of several messages would be lost. */
function hasMoreThanText(events: readonly GenerationEvent[]): boolean {
  let hasText = false;
  for (const event of events) {
    if (MORE_THAN_TEXT.has(event.type) || (event.type === 'text-start' && hasText)) return true;
    if (event.type === 'text-delta') hasText = true;
    else if (event.type === 'text-reset') hasText = false;
  }
  return false;
}

const MORE_THAN_TEXT: ReadonlySet<GenerationEvent['type']> = new Set([
  'tool-call-delta',
  'annotation',
  'native-part',
]);
