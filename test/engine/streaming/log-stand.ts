/** The event log under test, with what its tests create and write. */
import type { EventBody } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { EventLog, LogCreation } from '../../../engine/streaming/event-log.ts';
import type { PackRedis } from '../../../engine/streaming/log-packer.ts';
import { type LogRedis, RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';

export interface StartedRedis {
  readonly redis: LogRedis & PackRedis & { scriptFlush(): Promise<unknown> };
  stop(): Promise<void>;
}

export const RETENTION_MS = 60_000;

export const END: EventBody = {
  type: 'generation-end',
  provider: 'sim',
  model: 'm',
  finishReason: 'stop',
  attempts: 1,
  cached: false,
  usage: NO_USAGE,
  costMicroUsd: 0,
};

export function creationOf(generationId: string, requestHash = 'hash-1'): LogCreation {
  const input = { messages: [{ role: 'user' as const, content: 'hello' }], maxOutputTokens: 10 };
  return {
    generationId,
    tenant: 'acme',
    user: 'ann',
    route: 'default',
    requestHash,
    metadata: { topic: 'a' },
    input,
  };
}

/** The log under test, with the Redis or the memory below it. */
export class LogStand {
  readonly #startRedis: () => Promise<StartedRedis>;
  #started: { readonly server: StartedRedis; readonly log: EventLog } | null = null;
  #logs = 0;

  constructor(startRedis: () => Promise<StartedRedis>) {
    this.#startRedis = startRedis;
  }

  get log(): EventLog {
    return this.#running.log;
  }

  get redis(): StartedRedis['redis'] {
    return this.#running.server.redis;
  }

  async start(): Promise<void> {
    const server = await this.#startRedis();
    this.#started = { server, log: new RedisEventLog(server.redis, { retentionMs: RETENTION_MS }) };
  }

  async stop(): Promise<void> {
    await this.#started?.server.stop();
  }

  async newLog(): Promise<string> {
    this.#logs += 1;
    const generationId = `gen_${this.#logs}`;
    await this.log.create(creationOf(generationId));
    return generationId;
  }

  async entriesOf(generationId: string): Promise<number> {
    return (await this.redis.xRange(REDIS_KEYS.logStream(generationId), '-', '+'))?.length ?? 0;
  }

  async writeBatches(generationId: string, batches: readonly (readonly EventBody[])[]): Promise<void> {
    const { writer } = await this.log.open(generationId, 1);
    for (const batch of batches) {
      for (const event of batch) await writer.write(event);
      await writer.flush();
    }
  }

  get #running() {
    if (this.#started === null) throw new Error('Redis has not started');
    return this.#started;
  }
}
