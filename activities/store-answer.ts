/** Keeps a whole answer for the next one who asks the same. */
import { textOf } from '../contracts/events.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { questionOf } from './look-up-cache.ts';

export function storeAnswer({ cache, log }: Dependencies) {
  return async ({ order, outcome }: SettleStep): Promise<void> => {
    const { provider, model, finishReason, usage } = outcome;
    if (provider === null || model === null || finishReason !== 'stop') return;
    const { generationId } = order;
    const [input, events] = await Promise.all([log.readInput(generationId), log.read(generationId, -1)]);
    const text = textOf(events);
    if (input === null || text === '') return;
    const storedAtMs = events.at(-1)?.at ?? Date.now();
    await cache.store(questionOf(order, input), { text, provider, model, finishReason, usage, storedAtMs });
  };
}
