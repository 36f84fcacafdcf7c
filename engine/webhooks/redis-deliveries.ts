/**
 * Deliveries in Redis. A delivery is written before its run starts, and its id depends on what happened and on who is
 * notified: a step that is repeated after a crash prepares the same delivery, and no second one.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  type DeliveryView,
  deliveryStatuses,
  responseEventTypes,
  type WebhookDelivery,
  type WebhookEvent,
} from '../../contracts/webhooks.ts';
import { askScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { RedisWebhookEndpoints } from './redis-endpoints.ts';
import type {
  DeliveryAttempt,
  DeliveryOwner,
  Notice,
  PreparedDelivery,
  WebhookDeliveries,
  WebhookTarget,
} from './webhooks.ts';

/** In place of the id of an endpoint. */
const OF_REQUEST = 'request';

interface DeliveriesRedis extends ScriptRedis {
  del(keys: string[]): Promise<unknown>;
  hGetAll(key: string): Promise<Record<string, string>>;
  zRem(key: string, members: string[]): Promise<unknown>;
  lRange(key: string, start: number, stop: number): Promise<string[]>;
  zRange(key: string, start: number, stop: number, options: { REV: true }): Promise<string[]>;
}

/** KEYS: head, index. ARGV[2]: the fixed fields. A delivery that exists stays as it is. */
const PREPARE = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'fixed', ARGV[2], 'status', 'pending', 'attempts', 0)
redis.call('PEXPIRE', KEYS[1], ask.keptMs)
redis.call('ZADD', KEYS[2], ask.atMs, ask.id)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', ask.atMs - ask.keptMs))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - ask.most)
redis.call('PEXPIRE', KEYS[2], ask.keptMs)
return 1`);

/** KEYS: head, attempts. ARGV[2]: the attempt. Nothing is noted of a delivery that has expired. */
const NOTE = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
if ask.delivered then redis.call('HSET', KEYS[1], 'status', 'delivered') end
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('LTRIM', KEYS[2], -ask.shown, -1)
redis.call('PEXPIRE', KEYS[1], ask.keptMs)
redis.call('PEXPIRE', KEYS[2], ask.keptMs)
return 1`);

/** A delivery that has arrived stays delivered. KEYS: head. */
const GIVE_UP = script(`
if redis.call('HGET', KEYS[1], 'status') == 'pending' then redis.call('HSET', KEYS[1], 'status', 'failed') end
return 1`);

const fixedSchema = z.object({
  /** null: the webhook of one request, whose target is sealed. */
  endpointId: z.string().nullable(),
  sealed: z.string().optional(),
  /** Absent in deliveries of earlier releases. */
  user: z.string().optional(),
  createdAtMs: z.number(),
  event: z.custom<WebhookEvent>((value) => typeof value === 'object' && value !== null),
});
type Fixed = z.infer<typeof fixedSchema>;

const attemptSchema = z.object({
  atMs: z.int(),
  ms: z.int(),
  statusCode: z.int().nullable(),
  error: z.string().nullable(),
});

export class RedisWebhookDeliveries implements WebhookDeliveries {
  readonly #redis: DeliveriesRedis;
  readonly #endpoints: Pick<RedisWebhookEndpoints, 'records' | 'target' | 'openSealed'>;

  constructor(
    redis: DeliveriesRedis,
    endpoints: Pick<RedisWebhookEndpoints, 'records' | 'target' | 'openSealed'>,
  ) {
    this.#redis = redis;
    this.#endpoints = endpoints;
  }

  async prepare(notice: Notice): Promise<readonly WebhookDelivery[]> {
    const { tenant, type, webhook } = notice;
    const endpoints = await this.#endpoints.records(tenant);
    const registered = endpoints
      .filter(({ eventTypes }) => eventTypes.includes(type))
      .map(({ id }) => ({ endpointId: id }));
    const isWanted = webhook !== undefined && (webhook.events?.includes(type) ?? true);
    const targets = [...registered, ...(isWanted ? [{ endpointId: null, sealed: webhook.sealed }] : [])];
    return Promise.all(targets.map((target) => this.#write(notice, target)));
  }

  async read(tenant: string, deliveryId: string): Promise<PreparedDelivery | null> {
    const fixed = fixedOf(await this.#redis.hGetAll(headKey(tenant, deliveryId)));
    const target = fixed === null ? null : await this.#targetOf(tenant, fixed);
    return fixed === null || target === null ? null : { target, event: fixed.event };
  }

  async note(tenant: string, deliveryId: string, attempt: DeliveryAttempt): Promise<void> {
    await askScript(this.#redis, NOTE, {
      keys: [headKey(tenant, deliveryId), attemptsKey(tenant, deliveryId)],
      ask: {
        shown: LIMITS.deliveryAttemptsShown,
        ...(attempt.error === null
          ? { delivered: true, keptMs: LIMITS.deliveredKeptMs }
          : { keptMs: LIMITS.deliveryKeptMs }),
      },
      texts: [JSON.stringify(attempt)],
    });
  }

  async giveUp(tenant: string, deliveryId: string): Promise<void> {
    await askScript(this.#redis, GIVE_UP, { keys: [headKey(tenant, deliveryId)], ask: {} });
  }

  async remove(tenant: string, deliveryId: string): Promise<void> {
    await this.#redis.del([headKey(tenant, deliveryId), attemptsKey(tenant, deliveryId)]);
    await this.#redis.zRem(REDIS_KEYS.webhookDeliveries(tenant), [deliveryId]);
  }

  async idsOfGeneration(
    tenant: string,
    generationId: string,
    createdAtMs: number,
  ): Promise<readonly string[]> {
    const receivers = [...(await this.#endpoints.records(tenant)).map(({ id }) => id), OF_REQUEST];
    // As activities/notify-ended.ts names what has happened.
    const keys = [generationId, `${generationId}@${createdAtMs}`];
    return keys.flatMap((key) =>
      responseEventTypes.flatMap((type) =>
        receivers.map((receiver) => idOf({ tenant, key, type }, receiver)),
      ),
    );
  }

  ids(tenant: string): Promise<readonly string[]> {
    return this.#redis.zRange(REDIS_KEYS.webhookDeliveries(tenant), 0, -1, { REV: true });
  }

  async ownerOf(tenant: string, deliveryId: string): Promise<DeliveryOwner | null> {
    const fixed = fixedOf(await this.#redis.hGetAll(headKey(tenant, deliveryId)));
    if (fixed === null) return null;
    const { generation_id, id } = fixed.event.data;
    const about = typeof generation_id === 'string' ? generation_id : id;
    return { user: fixed.user ?? null, about, createdAtMs: fixed.createdAtMs };
  }

  async view(tenant: string, deliveryId: string): Promise<DeliveryView | null> {
    const [head, attempts] = await Promise.all([
      this.#redis.hGetAll(headKey(tenant, deliveryId)),
      this.#redis.lRange(attemptsKey(tenant, deliveryId), 0, -1),
    ]);
    const fixed = fixedOf(head);
    if (fixed === null) return null;
    return {
      id: deliveryId,
      eventType: fixed.event.type,
      endpointId: fixed.endpointId,
      status: deliveryStatuses.find((status) => status === head['status']) ?? 'pending',
      createdAt: fixed.createdAtMs,
      attempts: Number(head['attempts'] ?? 0),
      latest: attempts.map((text) => {
        const { atMs, ...attempt } = attemptSchema.parse(JSON.parse(text));
        return { at: atMs, ...attempt };
      }),
      payload: { ...fixed.event },
    };
  }

  async list(tenant: string, { after, limit }: { readonly after: number; readonly limit: number }) {
    const index = REDIS_KEYS.webhookDeliveries(tenant);
    const ids = await this.#redis.zRange(index, after, after + limit, { REV: true });
    const views = await Promise.all(ids.slice(0, limit).map((id) => this.view(tenant, id)));
    return {
      data: views.filter((view) => view !== null),
      next: ids.length > limit ? after + limit : null,
    };
  }

  async #write(
    { tenant, user, key, type, atMs, data }: Notice,
    target: Pick<Fixed, 'endpointId' | 'sealed'>,
  ): Promise<WebhookDelivery> {
    const event: WebhookEvent = {
      id: `evt_${shortHash([tenant, key, type])}`,
      object: 'event',
      created_at: Math.floor(atMs / 1_000),
      type,
      data,
    };
    const deliveryId = idOf({ tenant, key, type }, target.endpointId ?? OF_REQUEST);
    const now = Date.now();
    await askScript(this.#redis, PREPARE, {
      keys: [headKey(tenant, deliveryId), REDIS_KEYS.webhookDeliveries(tenant)],
      ask: {
        id: deliveryId,
        atMs: now,
        keptMs: LIMITS.deliveryKeptMs,
        most: LIMITS.deliveriesPerTenant,
      },
      texts: [JSON.stringify({ ...target, user, createdAtMs: now, event } satisfies Fixed)],
    });
    return { tenant, deliveryId, eventType: type };
  }

  #targetOf(tenant: string, { endpointId, sealed = '' }: Fixed): Promise<WebhookTarget | null> {
    // Read at each attempt: an endpoint that has moved gets the next attempt at its new address.
    return endpointId === null
      ? this.#endpoints.openSealed(tenant, sealed)
      : this.#endpoints.target(tenant, endpointId);
  }
}

function idOf({ tenant, key, type }: Pick<Notice, 'tenant' | 'key' | 'type'>, receiver: string): string {
  return `msg_${shortHash([tenant, key, type, receiver])}`;
}

function headKey(tenant: string, deliveryId: string): string {
  return REDIS_KEYS.webhookDelivery(tenant, deliveryId, 'head');
}

function attemptsKey(tenant: string, deliveryId: string): string {
  return REDIS_KEYS.webhookDelivery(tenant, deliveryId, 'attempts');
}

function fixedOf({ fixed }: Record<string, string>): Fixed | null {
  return fixed === undefined ? null : (fixedSchema.safeParse(JSON.parse(fixed)).data ?? null);
}

function shortHash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
