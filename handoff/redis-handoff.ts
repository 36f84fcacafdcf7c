/** The hand-over by a Redis list, on which free workers wait, and by a channel of each API process for the answers. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import type { RedisConnection } from '../streaming/redis-connection.ts';
import type { HandoffOffers, HandoffTaker, TraceCarrier } from './handoff.ts';

const WAIT_SECONDS = 1;
const REDIS_AWAY_MS = 200;

const messageSchema = z.object({
  order: z.custom<GenerationOrder>((order) => typeof order === 'object' && order !== null),
  priorityKey: z.number().optional(),
  input: z.custom<GenerationInput>((input) => typeof input === 'object' && input !== null).optional(),
  trace: z.record(z.string(), z.string()),
  replyTo: z.string(),
  /** When it was offered, by the clock of the API process. */
  atMs: z.number(),
});

export interface HandoffPlan {
  readonly taskQueue: string;
  readonly carrier: TraceCarrier;
}

export async function createHandoffOffers(
  redis: RedisConnection,
  subscriber: RedisConnection,
  { taskQueue, carrier }: HandoffPlan,
): Promise<HandoffOffers> {
  const list = REDIS_KEYS.handoff(taskQueue);
  const replyTo = REDIS_KEYS.handoffAnswers(randomUUID());
  const waiting = new Map<string, (isStarted: boolean) => void>();
  await subscriber.subscribe(replyTo, (answer) => {
    const [generationId = '', outcome] = answer.split(' ');
    waiting.get(generationId)?.(outcome === 'started');
  });

  return {
    async offer({ order, priorityKey, input }) {
      const { generationId } = order;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      waiting.set(generationId, resolve);
      const head = { order, priorityKey, trace: carrier.inject(), replyTo, atMs: Date.now() };
      const whole = JSON.stringify({ ...head, input });
      const message = whole.length <= LIMITS.handoffChars ? whole : JSON.stringify(head);
      const withdraw = async () => {
        const withdrawn = await redis.lRem(list, 1, message);
        if (withdrawn > 0) resolve(false);
      };
      // One that somebody has taken is on its way; given up only where he seems to be gone.
      const untaken = setTimeout(() => withdraw().catch(() => resolve(false)), LIMITS.handoffTakenMs);
      const lost = setTimeout(() => resolve(false), LIMITS.handoffStartedMs);
      try {
        // What nobody takes, holds a prompt, and shall not stay.
        const pushed = [redis.lPush(list, message), redis.pExpire(list, LIMITS.handoffStartedMs)];
        Promise.all(pushed).catch(() => resolve(false));
        return await promise;
      } finally {
        waiting.delete(generationId);
        clearTimeout(untaken);
        clearTimeout(lost);
      }
    },
  };
}

/** @param waiting a connection of its own: it is blocked while it waits. */
export function createHandoffTaker(
  waiting: RedisConnection,
  redis: RedisConnection,
  { taskQueue, carrier }: HandoffPlan,
): HandoffTaker {
  const list = REDIS_KEYS.handoff(taskQueue);
  return {
    async take() {
      const taken = await waiting.brPop(list, WAIT_SECONDS).catch(async () => {
        await sleep(REDIS_AWAY_MS);
        return null;
      });
      if (taken === null) return null;
      const { trace, replyTo, atMs, ...run } = messageSchema.parse(JSON.parse(taken.element));
      // Whoever offered it has started it by himself since, or has died; then its caller asks again.
      if (Date.now() - atMs > LIMITS.handoffStartedMs) return null;
      return {
        ...run,
        within: (act) => carrier.within(trace, act),
        answer: async (isStarted) => {
          const outcome = isStarted ? 'started' : 'failed';
          await redis.publish(replyTo, `${run.order.generationId} ${outcome}`);
        },
      };
    },
  };
}
