/** Schedules in Redis: who pays for each, and what it starts. When it starts is in Temporal. */
import { createHash } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { ScheduleRequest } from '../../contracts/schedules.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';
import type { JobOwner } from './job-store.ts';

export interface StoredSchedule {
  readonly scheduleId: string;
  readonly owner: JobOwner;
  /** Without its webhook, which holds a secret. */
  readonly request: ScheduleRequest;
  /** That of its request; notified of each run. */
  readonly webhook?: SealedWebhook;
  readonly requestHash: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

interface ScheduleRedis {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: { condition: 'NX' }): Promise<unknown>;
  del(key: string): Promise<number>;
  exists(key: string): Promise<number>;
  sAdd(key: string, member: string): Promise<unknown>;
  sRem(key: string, member: string): Promise<unknown>;
  sMembers(key: string): Promise<string[]>;
  sCard(key: string): Promise<number>;
}

export class RedisScheduleStore {
  readonly #redis: ScheduleRedis;

  constructor(redis: ScheduleRedis) {
    this.#redis = redis;
  }

  /** @returns what is stored under this id: this, which is new, or what was there before. @throws invalid_request */
  async add(
    schedule: StoredSchedule,
  ): Promise<{ readonly schedule: StoredSchedule; readonly isNew: boolean }> {
    const { scheduleId, owner } = schedule;
    const index = REDIS_KEYS.schedulesOf(owner.tenant);
    const known = await this.find(scheduleId);
    if (known !== null) return { schedule: known, isNew: false };
    if ((await this.#redis.sCard(index)) >= LIMITS.schedulesPerTenant) {
      const most = LIMITS.schedulesPerTenant;
      throw new UnbrokenError(
        'invalid_request',
        `A tenant has at most ${most} schedules; delete some first.`,
      );
    }
    // An id without a schedule is not shown, so it may come first.
    await this.#redis.sAdd(index, scheduleId);
    const key = REDIS_KEYS.schedule(scheduleId);
    const set = await this.#redis.set(key, JSON.stringify(schedule), { condition: 'NX' });
    return { schedule: (await this.find(scheduleId)) ?? schedule, isNew: set !== null };
  }

  async find(scheduleId: string): Promise<StoredSchedule | null> {
    const stored = await this.#redis.get(REDIS_KEYS.schedule(scheduleId));
    // It was checked before it was stored.
    return stored === null ? null : (parseJson(stored) as StoredSchedule);
  }

  async list(tenant: string): Promise<StoredSchedule[]> {
    const ids = await this.#redis.sMembers(REDIS_KEYS.schedulesOf(tenant));
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found.filter((schedule) => schedule !== null).sort((a, b) => b.createdAt - a.createdAt);
  }

  /** @returns false if it was gone. */
  async remove({ scheduleId, owner }: StoredSchedule): Promise<boolean> {
    const removed = await this.#redis.del(REDIS_KEYS.schedule(scheduleId));
    await this.#redis.sRem(REDIS_KEYS.schedulesOf(owner.tenant), scheduleId);
    return removed > 0;
  }

  /** Whether the key that pays is still valid: its record is gone when it expires or is revoked. */
  async mayPay({ owner }: StoredSchedule): Promise<boolean> {
    return (await this.#redis.exists(REDIS_KEYS.apiKey(owner.keyId))) > 0;
  }
}

const PREFIXES = { generation: 'gen', job: 'job', batch: 'batch' } as const;

/** What a tick starts, by the id of the tick's workflow. */
export function runIdOf(kind: keyof typeof PREFIXES, tick: string): string {
  const hash = createHash('sha256').update(`tick of ${tick}`).digest('hex').slice(0, 32);
  return `${PREFIXES[kind]}_${hash}`;
}
