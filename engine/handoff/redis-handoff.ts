/** The handoff by a Redis list, on which free workers wait, and by one channel per API process for the replies. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { askScript, script } from '../../platform/redis/lua-script.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import type { HandoffOffers, HandoffTaker, OfferedRun, TakenRun, TraceCarrier } from './handoff.ts';

/** How long a worker waits for a run before it checks whether it should shut down. */
export const HANDOFF_WAIT_MS = 1_000;
/** A worker that was silent for this time counts as gone. */
const TAKERS_TTL_MS = 3 * HANDOFF_WAIT_MS;
const REDIS_UNREACHABLE_PAUSE_MS = 200;
/** A worker drops an older offer. More than the clocks of two machines differ by. */
const STALE_MS = 10_000;

/**
 * Offers a run if a worker takes runs. The list expires, because a message contains a prompt.
 * KEYS list, takers. ARGV JSON of {ttlMs}; message. -> 1 if it was offered, else 0
 */
const OFFER = script(`
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('LPUSH', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], cjson.decode(ARGV[1]).ttlMs)
return 1
`);

const messageSchema = z.object({
  order: z.custom<GenerationOrder>((order) => typeof order === 'object' && order !== null),
  priorityKey: z.number().optional(),
  input: z.custom<GenerationInput>((input) => typeof input === 'object' && input !== null).optional(),
  trace: z.record(z.string(), z.string()),
  replyTo: z.string(),
  /** The time of the offer, by the clock of the API process. */
  atMs: z.number(),
});

interface HandoffPlan {
  readonly taskQueue: string;
  readonly carrier: TraceCarrier;
}

export class RedisHandoffOffers implements HandoffOffers {
  readonly #redis: RedisClient;
  readonly #plan: HandoffPlan;
  readonly #replyTo: string;
  /** Resolves an open offer, by generation. */
  readonly #open = new Map<string, (isStarted: boolean) => void>();

  /** @param subscriber a connection for subscriptions only. */
  static async create(
    redis: RedisClient,
    subscriber: RedisClient,
    plan: HandoffPlan,
  ): Promise<RedisHandoffOffers> {
    const offers = new RedisHandoffOffers(redis, plan);
    await subscriber.subscribe(offers.#replyTo, (reply) => offers.#receive(reply));
    return offers;
  }

  private constructor(redis: RedisClient, plan: HandoffPlan) {
    this.#redis = redis;
    this.#plan = plan;
    this.#replyTo = REDIS_KEYS.handoffAnswers(randomUUID());
  }

  async offer({ order, priorityKey, input }: OfferedRun): Promise<boolean> {
    const { generationId } = order;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#open.set(generationId, resolve);
    const trace = this.#plan.carrier.inject();
    const head = { order, priorityKey, trace, replyTo: this.#replyTo, atMs: Date.now() };
    const whole = JSON.stringify({ ...head, input });
    const message = whole.length <= LIMITS.handoffChars ? whole : JSON.stringify(head);
    const withdraw = async () => {
      const removed = await this.#redis.lRem(REDIS_KEYS.handoff(this.#plan.taskQueue), 1, message);
      if (removed > 0) resolve(false);
    };
    // An offer that a worker has taken waits longer: it fails only if the worker seems to have died.
    const untaken = setTimeout(() => withdraw().catch(() => resolve(false)), LIMITS.handoffTakenMs);
    const lost = setTimeout(() => resolve(false), LIMITS.handoffStartedMs);
    try {
      this.#push(message).then(
        (isOffered) => isOffered || resolve(false),
        () => resolve(false),
      );
      return await promise;
    } finally {
      this.#open.delete(generationId);
      clearTimeout(untaken);
      clearTimeout(lost);
    }
  }

  #receive(reply: string): void {
    const [generationId = '', outcome] = reply.split(' ');
    this.#open.get(generationId)?.(outcome === 'started');
  }

  async #push(message: string): Promise<boolean> {
    const { taskQueue } = this.#plan;
    const keys = [REDIS_KEYS.handoff(taskQueue), REDIS_KEYS.handoffTakers(taskQueue)];
    const ask = { ttlMs: LIMITS.handoffStartedMs };
    return (await askScript(this.#redis, OFFER, { keys, ask, texts: [message] })) === 1;
  }
}

export class RedisHandoffTaker implements HandoffTaker {
  readonly #waiting: RedisClient;
  readonly #redis: RedisClient;
  readonly #plan: HandoffPlan;
  #announcedAtMs = 0;

  /** @param waiting a separate connection: it is blocked while it waits. */
  constructor(waiting: RedisClient, redis: RedisClient, plan: HandoffPlan) {
    this.#waiting = waiting;
    this.#redis = redis;
    this.#plan = plan;
  }

  async take(): Promise<TakenRun | null> {
    this.#announce();
    const list = REDIS_KEYS.handoff(this.#plan.taskQueue);
    const taken = await this.#waiting.brPop(list, HANDOFF_WAIT_MS / 1_000).catch(async () => {
      await sleep(REDIS_UNREACHABLE_PAUSE_MS);
      return null;
    });
    const { data } = messageSchema.safeParse(parseOrNull(taken?.element));
    if (data === undefined) return null;
    const { trace, replyTo, atMs, ...run } = data;
    const answer = async (isStarted: boolean) => {
      const outcome = isStarted ? 'started' : 'failed';
      await this.#redis.publish(replyTo, `${run.order.generationId} ${outcome}`);
    };
    // The API process has started the run itself by now, or has died; then its caller retries.
    if (Date.now() - atMs > STALE_MS) {
      await answer(false).catch(() => undefined);
      return null;
    }
    return { ...run, answer, within: (act) => this.#plan.carrier.within(trace, act) };
  }

  /** Keeps the key alive by which API processes see that a worker takes runs. */
  #announce(): void {
    if (Date.now() - this.#announcedAtMs < HANDOFF_WAIT_MS) return;
    this.#announcedAtMs = Date.now();
    const takers = REDIS_KEYS.handoffTakers(this.#plan.taskQueue);
    this.#redis.set(takers, '1', { PX: TAKERS_TTL_MS }).catch(() => undefined);
  }
}

function parseOrNull(text: string | undefined): unknown {
  try {
    return parseJson(text ?? 'null');
  } catch {
    return null;
  }
}
