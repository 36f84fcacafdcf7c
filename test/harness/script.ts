/**
 * A log that a test writes itself, in the place of a worker: for what no provider does on command. The API, the log
 * and its clients are real.
 */
import { createHash } from 'node:crypto';
import type { EventBody } from '../../contracts/events.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { connectRedis } from '../../platform/redis/redis-connection.ts';
import type { Stack } from './stack.ts';
import { waitFor } from './wait-for.ts';

export interface Script {
  /** The id under which the API knows a request with this Idempotency-Key. */
  generationId(key: string): string;
  /** Waits until the API has begun it, then appends the events one by one. */
  play(key: string, events: readonly EventBody[]): Promise<void>;
  /** The same, by the id of the generation. */
  playOn(generationId: string, events: readonly EventBody[]): Promise<void>;
  close(): void;
}

export async function connectScript(stack: Stack): Promise<Script> {
  const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  const log = new RedisEventLog(redis, { retentionMs: 600_000 });
  const generationId = (key: string) =>
    `gen_${createHash('sha256').update(`dev\0${key}`).digest('hex').slice(0, 32)}`;
  let epoch = 0;
  const playOn = async (id: string, events: readonly EventBody[]) => {
    await waitFor(`the log ${id}`, () => log.head(id));
    epoch += 1;
    const { writer } = await log.open(id, epoch);
    for (const event of events) {
      await writer.write(event);
      await writer.flush();
    }
  };
  return {
    generationId,
    playOn,
    play: (key, events) => playOn(generationId(key), events),
    close: () => redis.destroy(),
  };
}

/** The events of an attempt's beginning. */
export const START: EventBody = {
  type: 'provider-start',
  provider: 'simulated',
  model: 'sim-large',
  attempt: 1,
  strategy: 'start',
};

export const USAGE = { ...NO_USAGE, inputTokens: 11, outputTokens: 7 };

export function endWith(finishReason: 'stop' | 'length' | 'tool-calls' = 'stop'): EventBody {
  return {
    type: 'generation-end',
    provider: 'simulated',
    model: 'sim-large',
    finishReason,
    attempts: 1,
    cached: false,
    usage: USAGE,
    costMicroUsd: 42,
  };
}

export const texts = (...pieces: readonly string[]): EventBody[] =>
  pieces.map((text) => ({ type: 'text-delta', text }));

export const RESET: EventBody = { type: 'text-reset', reason: 'The answer was restarted and differs.' };

/** A call in pieces. */
export function callOf(index: number, id: string, name: string, ...pieces: readonly string[]): EventBody[] {
  return pieces.map((written) => ({ type: 'tool-call-delta', index, id, name, arguments: written }));
}
