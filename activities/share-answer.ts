/** Shares one answer among the generations that ask the same at the same time: who may, and what each pays. */
import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { FinishReason, GenerationInput } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { splitCost, type Used } from '../contracts/share.ts';
import type { StreamStep } from '../contracts/steps.ts';
import type { LogWriter } from '../engine/streaming/event-log.ts';
import type { Dependencies } from './dependencies.ts';
import { pause } from './end-following.ts';
import type { GenerationRecord } from './generation-record.ts';
import { questionOf } from './look-up-cache.ts';

const CLOSE_AGAIN_MS = 200;

/** Both have the same output cap, so a cut answer is as whole for both. A refusal is not passed on to others. */
const SHARED: ReadonlySet<FinishReason> = new Set(['stop', 'length']);

export function isShareable(reason: FinishReason): boolean {
  return SHARED.has(reason);
}

/** A clipped answer is not shared, nor are tool calls, which have effects. */
export function mayShare(
  { cacheSettings }: Pick<Dependencies, 'cacheSettings'>,
  { order, maxOutputTokens }: StreamStep,
  input: GenerationInput,
) {
  return (
    cacheUseOf(order.cache).reads &&
    cacheSettings(order.route).singleFlight &&
    maxOutputTokens >= order.maxOutputTokens &&
    input.tools === undefined
  );
}

interface Leader {
  readonly step: StreamStep;
  readonly input: GenerationInput;
  readonly record: GenerationRecord;
  readonly writer: LogWriter;
}

/**
 * The answer of a leader is whole, which fixes the members of its flight.
 * @param used by the call that made the answer. Earlier calls were booked as they ended; the leader alone pays them.
 */
export async function shareOf(
  dependencies: Dependencies,
  { step, input, record, writer }: Leader,
  reason: FinishReason,
  used: Used,
): Promise<{ readonly own: Used; readonly shared: (Used & { by: number }) | null }> {
  const alone = { own: used, shared: null };
  if (!isShareable(reason) || !mayShare(dependencies, step, input)) return alone;
  // Followers ended at the old cap, and have reserved no more.
  if (record.capTokens > 0) return alone;
  const { generationId } = step.order;
  const answer = { generationId, opener: writer.opener, used };
  const question = questionOf(dependencies.cacheSettings, step.order, input);
  const by = await closeSurely(() => dependencies.flights.close(question, answer));
  if (by < 2) return alone;
  const { leader, each } = splitCost(used, by);
  return { own: leader, shared: { by, ...each } };
}

/**
 * If the reply to a close is lost, it may have counted members, which then pay their share. So it is retried for as
 * long as the append of the end would be, which needs the same Redis.
 */
async function closeSurely(close: () => Promise<number>): Promise<number> {
  const begunAtMs = performance.now();
  for (;;) {
    try {
      return await close();
    } catch (error) {
      if (performance.now() - begunAtMs > LIMITS.appendAgainMs) throw error;
      await pause(CLOSE_AGAIN_MS);
    }
  }
}
