/** The hand-over by a Redis list, on which free workers wait, and by a channel of each API process for the answers. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { runScript, script } from '../../platform/redis/lua-script.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import type { HandoffOffers, HandoffTaker, TraceCarrier } from './handoff.ts';

/** How long a worker waits for a run before it looks whether it shall leave. */
export const HANDOFF_WAIT_MS = 1_000;
/** A worker that is gone for so long takes nothing. */
const TAKES_MS = 3 * HANDOFF_WAIT_MS;
const REDIS_AWAY_MS = 200;
/** A run that was offered longer ago is left. Above what the clocks of two machines may differ by. */
const STALE_MS = 10_000;

/**
 * KEYS list, takers. ARGV message, ttlMs. -> 1 where somebody takes runs, else 0. What nobody takes in time holds a
 * prompt, and does not stay.
 */
const OFFER = script(`
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

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

  const push = async (message: string): Promise<boolean> => {
    const keys = [list, REDIS_KEYS.handoffTakers(taskQueue)];
    return (await runScript(redis, OFFER, keys, [message, LIMITS.handoffStartedMs])) === 1;
  };

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
        push(message).then(
          (isOffered) => isOffered || resolve(false),
          () => resolve(false),
        );
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
  let notedAtMs = 0;
  return {
    async take() {
      if (Date.now() - notedAtMs >= HANDOFF_WAIT_MS) {
        notedAtMs = Date.now();
        redis.set(REDIS_KEYS.handoffTakers(taskQueue), '1', { PX: TAKES_MS }).catch(() => undefined);
      }
      const taken = await waiting.brPop(list, HANDOFF_WAIT_MS / 1_000).catch(async () => {
        await sleep(REDIS_AWAY_MS);
        return null;
      });
      const { data } = messageSchema.safeParse(parsed(taken?.element));
      if (data === undefined) return null;
      const { trace, replyTo, atMs, ...run } = data;
      const answer = async (isStarted: boolean) => {
        const outcome = isStarted ? 'started' : 'failed';
        await redis.publish(replyTo, `${run.order.generationId} ${outcome}`);
      };
      // Whoever offered it has started it by himself since, or has died; then its caller asks again.
      if (Date.now() - atMs > STALE_MS) {
        await answer(false).catch(() => undefined);
        return null;
      }
      return { ...run, answer, within: (act) => carrier.within(trace, act) };
    },
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return parseJson(text ?? 'null');
  } catch {
    return null;
  }
}
