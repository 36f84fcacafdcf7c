/**
 * Tickets: a browser puts one into the URL of an SSE or WebSocket stream, where it cannot send a header. URLs end up
 * in logs, so a ticket is no key: it expires after its first use or half a minute, and opens streams only. A ticket
 * that reconnects is for an `EventSource`, which reconnects with the same URL: it opens one generation only, and
 * expires half a minute after its last connection ended.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { principalNameSchema, type Scope, type Ticket } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import type { ApiKeys, Caller } from './api-keys.ts';

interface TicketOrder {
  /** The only generation that it opens; absent: every one that the caller may read. */
  readonly generationId?: string | undefined;
  readonly reconnects: boolean;
}

const ticketRecordSchema = z.object({
  keyId: principalNameSchema,
  /** The ticket is void with the secret that got it. */
  secretHash: z.string().optional(),
  generationId: z.string().optional(),
  isForCodec: z.literal(true).optional(),
  /** Only on a ticket that reconnects: when it expires, however often it is renewed. */
  lastAt: z.int().optional(),
});
type TicketRecord = z.infer<typeof ticketRecordSchema>;

/** Scopes that a URL may carry; never those that manage keys. */
const STREAM_SCOPES: ReadonlySet<Scope> = new Set(['generate', 'any-user']);
const TICKET = /^ut_[A-Za-z0-9_-]{43}$/;

export class Tickets {
  readonly #redis: RedisClient;
  readonly #keys: ApiKeys;

  constructor(redis: RedisClient, keys: ApiKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  issue({ keyId, secretHash }: Caller, { generationId, reconnects }: TicketOrder): Promise<Ticket> {
    const lastAt = reconnects ? Date.now() + LIMITS.ticketReconnectsMs : undefined;
    return this.#store({ keyId, secretHash, generationId, lastAt }, LIMITS.ticketMs);
  }

  /** The caller of a stream; null when the ticket or its key is invalid. */
  async redeem(ticket: string): Promise<Caller | null> {
    const record = await this.#read(ticket);
    if (record === null || record.isForCodec === true) return null;
    // Of two clients with one single-use ticket, the one whose DEL succeeds gets it.
    if (record.lastAt === undefined && (await this.#redis.del(keyOf(ticket))) === 0) return null;
    const caller = await this.#keys.callerOf(record.keyId, record.secretHash);
    if (caller === null) return null;
    const scopes = caller.scopes.filter((scope) => STREAM_SCOPES.has(scope));
    const only = record.generationId === undefined ? {} : { onlyGeneration: record.generationId };
    return { ...caller, scopes, onlyReads: true, ...only };
  }

  /** A ticket with which a browser may decrypt payloads; it opens no stream. */
  async issueForCodec({ keyId, secretHash }: Caller): Promise<string> {
    const record = { keyId, secretHash, isForCodec: true } as const;
    const { ticket } = await this.#store(record, LIMITS.codecSessionMs);
    return ticket;
  }

  async callerForCodec(ticket: string): Promise<Caller | null> {
    const record = await this.#read(ticket);
    return record?.isForCodec === true ? this.#keys.callerOf(record.keyId, record.secretHash) : null;
  }

  /** Extends a ticket that reconnects while its stream is open. */
  async renew(ticket: string): Promise<void> {
    const { lastAt } = (await this.#read(ticket)) ?? {};
    if (lastAt === undefined) return;
    await this.#redis.pExpireAt(keyOf(ticket), Math.min(lastAt, Date.now() + LIMITS.ticketMs));
  }

  async #store(record: TicketRecord, lifeMs: number): Promise<Ticket> {
    const ticket = `ut_${randomBytes(32).toString('base64url')}`;
    const expiresAt = Date.now() + lifeMs;
    await this.#redis.set(keyOf(ticket), JSON.stringify(record), { PXAT: expiresAt });
    return { ticket, expiresAt };
  }

  async #read(ticket: string): Promise<TicketRecord | null> {
    const json = TICKET.test(ticket) ? await this.#redis.get(keyOf(ticket)) : null;
    return json === null ? null : ticketRecordSchema.parse(JSON.parse(json));
  }
}

function keyOf(ticket: string): string {
  return REDIS_KEYS.ticket(createHash('sha256').update(ticket).digest('hex'));
}
