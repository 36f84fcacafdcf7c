/** The webhooks that admins have registered, in Redis: a sealed record each, because it holds a secret. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  type EndpointChange,
  type EndpointView,
  OWN_SECRET_ID,
  type WebhookEventType,
  webhookEventTypes,
} from '../../contracts/webhooks.ts';
import { askScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import { TenantCipher } from '../reasoning/tenant-cipher.ts';
import type { NewEndpoint, WebhookEndpoints, WebhookTarget } from './webhooks.ts';

/** The commands of a node-redis client that this store needs. */
interface EndpointsRedis extends ScriptRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
  hGet(key: string, field: string): Promise<string | null>;
  hDel(key: string, field: string): Promise<number>;
}

const SECRET_BYTES = 32;
const HINT_CHARS = 4;

/**
 * Replaces a record that no other request has changed since it was read.
 * KEYS endpoints. ARGV JSON of {id, most}; the record as it was read ('' for none); the new one.
 * -> 'replaced' | 'changed' | 'full'
 */
const REPLACE = script(`
local ask = cjson.decode(ARGV[1])
local present = redis.call('HGET', KEYS[1], ask.id) or ''
if present ~= ARGV[2] then return 'changed' end
if present == '' and redis.call('HLEN', KEYS[1]) >= ask.most then return 'full' end
redis.call('HSET', KEYS[1], ask.id, ARGV[3])
return 'replaced'`);

const recordSchema = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  eventTypes: z.array(z.enum(webhookEventTypes)),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
  secret: z.string(),
  previous: z.object({ secret: z.string(), untilMs: z.number() }).nullable(),
});
type EndpointRecord = z.infer<typeof recordSchema>;

const targetSchema = z.object({ url: z.string(), secret: z.string().optional() });

export class RedisWebhookEndpoints implements WebhookEndpoints {
  readonly #redis: EndpointsRedis;
  readonly #cipher: TenantCipher;

  constructor(redis: EndpointsRedis) {
    this.#redis = redis;
    this.#cipher = new TenantCipher(redis, { purpose: 'webhooks', prefix: 'ubwh_', suffix: '.' });
  }

  async create(
    tenant: string,
    { name, url, event_types }: Required<EndpointChange>,
  ): Promise<NewEndpoint | null> {
    const fields = { name: name ?? '', url: url ?? '', eventTypes: event_types ?? [] };
    const record = newRecord(`we_${randomBytes(12).toString('hex')}`, fields);
    return (await this.#replace(tenant, '', record)) === 'full' ? null : shown(record);
  }

  async list(tenant: string): Promise<readonly EndpointView[]> {
    const records = await this.records(tenant);
    return records.toSorted((a, b) => a.createdAtMs - b.createdAtMs).map(viewOf);
  }

  async get(tenant: string, id: string): Promise<EndpointView | null> {
    const found = await this.#read(tenant, id);
    return found === null ? null : viewOf(found.record);
  }

  async update(tenant: string, id: string, change: EndpointChange): Promise<EndpointView | null> {
    const { name, url, event_types: eventTypes } = change;
    const changed = await this.#change(tenant, id, (record) => ({
      ...record,
      name: name ?? record.name,
      url: url ?? record.url,
      eventTypes: eventTypes ?? record.eventTypes,
    }));
    return changed === null ? null : viewOf(changed);
  }

  async remove(tenant: string, id: string): Promise<boolean> {
    if (id === OWN_SECRET_ID) return false;
    return (await this.#redis.hDel(REDIS_KEYS.webhookEndpoints(tenant), id)) === 1;
  }

  async rotate(tenant: string, id: string, overlapMs: number): Promise<NewEndpoint | null> {
    const rotated = await this.#change(tenant, id, (record) => withNewSecret(record, overlapMs));
    return rotated === null ? null : shown(rotated);
  }

  async target(tenant: string, id: string): Promise<WebhookTarget | null> {
    const found = await this.#read(tenant, id);
    return found === null ? null : targetOf(found.record);
  }

  async rotateOwnSecret(tenant: string, overlapMs: number): Promise<string> {
    for (;;) {
      const found = await this.#open(tenant, OWN_SECRET_ID);
      const fields = { name: 'requests without a secret', url: '', eventTypes: [] };
      const record =
        found === null ? newRecord(OWN_SECRET_ID, fields) : withNewSecret(found.record, overlapMs);
      if ((await this.#replace(tenant, found?.sealed ?? '', record)) === 'replaced') return record.secret;
    }
  }

  async seal(
    tenant: string,
    webhook: { readonly url: string; readonly secret?: string | undefined },
  ): Promise<string | undefined> {
    const { url, secret } = webhook;
    if (secret === undefined && (await this.#open(tenant, OWN_SECRET_ID)) === null) return undefined;
    return this.#cipher.seal(tenant, { url, ...(secret === undefined ? {} : { secret }) });
  }

  /** @returns null if it was not sealed here, or its secret is gone. */
  async openSealed(tenant: string, sealed: string): Promise<WebhookTarget | null> {
    const opened = targetSchema.safeParse(await this.#cipher.open(tenant, sealed)).data;
    if (opened === undefined) return null;
    const { url, secret } = opened;
    if (secret !== undefined) return { url, secret };
    const own = await this.#open(tenant, OWN_SECRET_ID);
    return own === null ? null : { ...targetOf(own.record), url };
  }

  /** All but the tenant's own secret. */
  async records(tenant: string): Promise<readonly EndpointRecord[]> {
    const sealed = await this.#redis.hGetAll(REDIS_KEYS.webhookEndpoints(tenant));
    const opened = await Promise.all(
      Object.entries(sealed)
        .filter(([id]) => id !== OWN_SECRET_ID)
        .map(([, text]) => this.#cipher.open(tenant, text)),
    );
    return opened.flatMap((record) => recordSchema.safeParse(record).data ?? []);
  }

  async #read(tenant: string, id: string) {
    return id === OWN_SECRET_ID ? null : this.#open(tenant, id);
  }

  async #open(tenant: string, id: string) {
    const sealed = await this.#redis.hGet(REDIS_KEYS.webhookEndpoints(tenant), id);
    if (sealed === null) return null;
    const record = recordSchema.safeParse(await this.#cipher.open(tenant, sealed)).data;
    return record === undefined ? null : { record, sealed };
  }

  async #change(
    tenant: string,
    id: string,
    change: (record: EndpointRecord) => EndpointRecord,
  ): Promise<EndpointRecord | null> {
    for (;;) {
      const found = await this.#read(tenant, id);
      if (found === null) return null;
      const record = { ...change(found.record), updatedAtMs: Date.now() };
      if ((await this.#replace(tenant, found.sealed, record)) === 'replaced') return record;
    }
  }

  async #replace(tenant: string, before: string, record: EndpointRecord): Promise<unknown> {
    return askScript(this.#redis, REPLACE, {
      keys: [REDIS_KEYS.webhookEndpoints(tenant)],
      ask: { id: record.id, most: LIMITS.webhooksPerTenant },
      texts: [before, await this.#cipher.seal(tenant, record)],
    });
  }
}

function newRecord(
  id: string,
  fields: Pick<EndpointRecord, 'name' | 'url'> & { readonly eventTypes: WebhookEventType[] },
): EndpointRecord {
  const now = Date.now();
  return { id, ...fields, createdAtMs: now, updatedAtMs: now, secret: newSecret(), previous: null };
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

function withNewSecret(record: EndpointRecord, overlapMs: number): EndpointRecord {
  const previous = overlapMs > 0 ? { secret: record.secret, untilMs: Date.now() + overlapMs } : null;
  return { ...record, secret: newSecret(), previous };
}

function targetOf({ url, secret, previous }: EndpointRecord): WebhookTarget {
  const isValid = previous !== null && previous.untilMs > Date.now();
  return { url, secret, ...(isValid ? { previousSecret: previous.secret } : {}) };
}

function viewOf({
  id,
  name,
  url,
  eventTypes,
  createdAtMs,
  updatedAtMs,
  secret,
}: EndpointRecord): EndpointView {
  return {
    id,
    object: 'webhook_endpoint',
    name,
    url,
    event_types: eventTypes,
    created_at: Math.floor(createdAtMs / 1_000),
    updated_at: Math.floor(updatedAtMs / 1_000),
    signing_secret_hint: `whsec_...${secret.slice(-HINT_CHARS)}`,
  };
}

function shown(record: EndpointRecord): NewEndpoint {
  return { endpoint: viewOf(record), secret: record.secret };
}
