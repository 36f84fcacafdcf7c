/**
 * Tickets: what a browser puts into the URL of an SSE or WebSocket stream, where it can send no header. URLs end up in
 * logs, so a ticket is not a key: it is void after its first use or half a minute, and opens streams only. One that
 * reconnects is for an `EventSource`, which comes back with the same URL: it opens one generation only, and is void
 * half a minute after its last connection has ended.
 */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { principalNameSchema, type Scope, type Ticket } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import type { ApiKeys, Caller } from './api-keys.ts';

export interface TicketOrder {
  /** The only generation that it opens; absent: all that the caller may read. */
  readonly generationId?: string | undefined;
  readonly reconnects: boolean;
}

export interface Tickets {
  issue(caller: Caller, order: TicketOrder): Promise<Ticket>;
  /** The caller of a stream; null where the ticket is not good, or its key is not any more. */
  redeem(ticket: string): Promise<Caller | null>;
  /** What lets a browser decrypt payloads; it opens no stream. */
  issueForCodec(caller: Caller): Promise<string>;
  callerForCodec(ticket: string): Promise<Caller | null>;
  /** Keeps a ticket that reconnects good while its stream is open. */
  renew(ticket: string): Promise<void>;
}

const storedSchema = z.object({
  keyId: principalNameSchema,
  generationId: z.string().optional(),
  isForCodec: z.literal(true).optional(),
  /** Only on a ticket that reconnects: when it is void in any case. */
  lastAt: z.int().optional(),
});
type Stored = z.infer<typeof storedSchema>;

/** What a URL may carry: never the power over keys. */
const STREAM_SCOPES: ReadonlySet<Scope> = new Set(['generate', 'any-user']);
const TICKET = /^ut_[A-Za-z0-9_-]{43}$/;

export function createTickets(redis: RedisConnection, keys: ApiKeys): Tickets {
  const store = async (stored: Stored, lifeMs: number): Promise<Ticket> => {
    const ticket = `ut_${randomBytes(32).toString('base64url')}`;
    const expiresAt = Date.now() + lifeMs;
    await redis.set(keyOf(ticket), JSON.stringify(stored), { PXAT: expiresAt });
    return { ticket, expiresAt };
  };
  const read = async (ticket: string): Promise<Stored | null> => {
    const stored = TICKET.test(ticket) ? await redis.get(keyOf(ticket)) : null;
    return stored === null ? null : storedSchema.parse(JSON.parse(stored));
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
      const stored = await read(ticket);
      return stored?.isForCodec === true ? keys.callerOf(stored.keyId) : null;
    },
    async redeem(ticket) {
      const stored = await read(ticket);
      if (stored === null || stored.isForCodec === true) return null;
      // Of two that come at once with a ticket for one use, the one that deletes it has it.
      if (stored.lastAt === undefined && (await redis.del(keyOf(ticket))) === 0) return null;
      const caller = await keys.callerOf(stored.keyId);
      if (caller === null) return null;
      const scopes = caller.scopes.filter((scope) => STREAM_SCOPES.has(scope));
      const only = stored.generationId === undefined ? {} : { onlyGeneration: stored.generationId };
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
