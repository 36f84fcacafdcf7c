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
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import type { ApiKeys, Caller } from './api-keys.ts';

interface TicketOrder {
  /** The only generation that it opens; absent: every one that the caller may read. */
  readonly generationId?: string | undefined;
  readonly reconnects: boolean;
}

export interface Tickets {
  issue(caller: Caller, order: TicketOrder): Promise<Ticket>;
  /** The caller of a stream; null when the ticket or its key is invalid. */
  redeem(ticket: string): Promise<Caller | null>;
  /** A ticket with which a browser may decrypt payloads; it opens no stream. */
  issueForCodec(caller: Caller): Promise<string>;
  callerForCodec(ticket: string): Promise<Caller | null>;
  /** Extends a ticket that reconnects while its stream is open. */
  renew(ticket: string): Promise<void>;
}

const ticketRecordSchema = z.object({
  keyId: principalNameSchema,
  generationId: z.string().optional(),
  isForCodec: z.literal(true).optional(),
  /** Only on a ticket that reconnects: when it expires, however often it is renewed. */
  lastAt: z.int().optional(),
});
type TicketRecord = z.infer<typeof ticketRecordSchema>;

/** Scopes that a URL may carry; never those that manage keys. */
const STREAM_SCOPES: ReadonlySet<Scope> = new Set(['generate', 'any-user']);
const TICKET = /^ut_[A-Za-z0-9_-]{43}$/;

export function createTickets(redis: RedisConnection, keys: ApiKeys): Tickets {
  const store = async (record: TicketRecord, lifeMs: number): Promise<Ticket> => {
    const ticket = `ut_${randomBytes(32).toString('base64url')}`;
    const expiresAt = Date.now() + lifeMs;
    await redis.set(keyOf(ticket), JSON.stringify(record), { PXAT: expiresAt });
    return { ticket, expiresAt };
  };
  const read = async (ticket: string): Promise<TicketRecord | null> => {
    const json = TICKET.test(ticket) ? await redis.get(keyOf(ticket)) : null;
    return json === null ? null : ticketRecordSchema.parse(JSON.parse(json));
  };
  return {
    async issue({ keyId }, { generationId, reconnects }) {
      const lastAt = reconnects ? Date.now() + LIMITS.ticketReconnectsMs : undefined;
      return store({ keyId, generationId, lastAt }, LIMITS.ticketMs);
    },
    async issueForCodec({ keyId }) {
      return (await store({ keyId, isForCodec: true }, LIMITS.codecSessionMs)).ticket;
    },
    async callerForCodec(ticket) {
      const record = await read(ticket);
      return record?.isForCodec === true ? keys.callerOf(record.keyId) : null;
    },
    async redeem(ticket) {
      const record = await read(ticket);
      if (record === null || record.isForCodec === true) return null;
      // Of two clients with one single-use ticket, the one whose DEL succeeds gets it.
      if (record.lastAt === undefined && (await redis.del(keyOf(ticket))) === 0) return null;
      const caller = await keys.callerOf(record.keyId);
      if (caller === null) return null;
      const scopes = caller.scopes.filter((scope) => STREAM_SCOPES.has(scope));
      const only = record.generationId === undefined ? {} : { onlyGeneration: record.generationId };
      return { ...caller, scopes, onlyReads: true, ...only };
    },
    async renew(ticket) {
      const { lastAt } = (await read(ticket)) ?? {};
      if (lastAt === undefined) return;
      await redis.pExpireAt(keyOf(ticket), Math.min(lastAt, Date.now() + LIMITS.ticketMs));
    },
  };
}

function keyOf(ticket: string): string {
  return REDIS_KEYS.ticket(createHash('sha256').update(ticket).digest('hex'));
}
