/**
 * The event log in Redis Streams. One stream entry is one atomic batch; its id is `1-<last seq>`, so that a cursor N
 * is read with `XRANGE (1-N +`, also where N lies inside a batch. Redis' clock stamps the events.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import type { GenerationInput, GenerationStatus } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import {
  isUnknownScript,
  runScript,
  type Script,
  type ScriptRedis,
} from '../../platform/redis/lua-script.ts';
import { isRedisAway } from '../../platform/redis/redis-connection.ts';
import { coalesce, decodeEvents, encodeEvents, numberEvents } from './event-codec.ts';
import {
  type Epoch,
  type EventLog,
  type LogHead,
  type LogListener,
  LogRefused,
  type OnceOutcome,
} from './event-log.ts';
import { parseHead } from './log-head.ts';
import {
  APPEND,
  CREATE,
  ERASE,
  NOTE_STORED,
  OPEN,
  OPEN_FRESH,
  WISH_CANCEL,
  WITHHOLD,
} from './log-scripts.ts';
import { viewFields, viewOf } from './log-view.ts';
import { createLogWriter, type WriterLimits } from './log-writer.ts';
import { pause } from './pause.ts';

const LONGEST_PAUSE_MS = 500;
/** How long an append is sent again after an error that does not say that Redis is away. */
const ODD_ERROR_MS = 10_000;

const replySchema = z.array(z.coerce.string());

/** What the log needs of a node-redis client. */
export interface LogRedis extends ScriptRedis {
  get(key: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
  xRange(
    key: string,
    start: string,
    end: string,
    options?: { readonly COUNT: number },
  ): Promise<{ readonly id: string; readonly message: Record<string, string> }[] | null>;
  scriptLoad(source: string): Promise<string>;
  sendCommand(command: string[]): Promise<unknown>;
}

export interface LogOptions {
  /** How long an ended log is kept. */
  readonly retentionMs: number;
  readonly listener?: LogListener | undefined;
  readonly writer?: WriterLimits | undefined;
}

export function createRedisEventLog(redis: LogRedis, options: LogOptions): EventLog {
  const { listener } = options;
  const run = async (script: Script, keys: string[], args: string[]) =>
    replySchema.parse(await runScript(redis, script, keys, args));

  const append = (generationId: string, mode: AppendMode, token: string, batch: Batch) =>
    run(APPEND, keysOf(generationId), [
      mode,
      token,
      String(batch.expectedSeq),
      String(batch.events.length),
      encodeEvents(batch.events),
      terminalStatus(batch.events) ?? '',
      batch.checkpoint === undefined ? '' : JSON.stringify(batch.checkpoint),
      String(options.retentionMs),
      batch.opener ?? '',
      ...viewFields(batch.events),
    ]);

  /** Sent until it is answered, and told to the listener. */
  const appendSurely = async (generationId: string, mode: AppendMode, token: string, batch: Batch) => {
    const begunAt = performance.now();
    const reply = await repeated(
      () => append(generationId, mode, token, batch),
      () => listener?.repeated(),
    );
    const [answer, detail] = reply;
    if (answer === 'appended') {
      listener?.appended({
        generationId,
        count: batch.events.length,
        tookMs: performance.now() - begunAt,
        status: terminalStatus(batch.events),
        last: batch.events.at(-1),
      });
    }
    if (answer === 'appended' || answer === 'already-appended') return reply;
    if (mode !== 'fenced' && (answer === 'ended' || answer === 'opened')) return reply;
    const refusal = refused(answer, detail);
    listener?.refused(refusal.reason);
    throw refusal;
  };

  const writerOf = ({ generationId, epoch, opener, nextSeq, onCancelWish }: Opening) =>
    createLogWriter(
      { firstSeq: nextSeq, opener },
      async (expectedSeq, events, checkpoint) => {
        const appended = { expectedSeq, events, checkpoint, opener };
        const [, , wish] = await appendSurely(generationId, 'fenced', String(epoch), appended);
        if (wish === '1') onCancelWish?.();
      },
      options.writer,
    );

  const head = async (generationId: string): Promise<LogHead | null> => {
    const stored = await redis.hGetAll(REDIS_KEYS.logMeta(generationId));
    return Object.keys(stored).length === 0 ? null : parseHead(generationId, stored);
  };

  const read = async (
    generationId: string,
    after: number,
    maxEntries?: number,
  ): Promise<GenerationEvent[]> => {
    const key = REDIS_KEYS.logStream(generationId);
    const from = after < 0 ? '-' : `(1-${after}`;
    let entries = await redis.xRange(
      key,
      from,
      // An entry bears the number of its last event, so a range of ids is a number of events.
      maxEntries === undefined ? '+' : `1-${Math.max(after, -1) + LIMITS.eventsPerRead}`,
      maxEntries === undefined ? undefined : { COUNT: maxEntries },
    );
    // The next entry alone may hold more.
    if (maxEntries !== undefined && (entries ?? []).length === 0) {
      entries = await redis.xRange(key, from, '+', { COUNT: 1 });
    }
    return (entries ?? [])
      .flatMap((entry) => toEvents(entry.id, entry.message))
      .filter((event) => event.seq > after);
  };

  /**
   * One round trip: the three commands leave together and run in this order. What was read before the writer before us
   * was silenced could miss its last append; so where Redis does not know the script, all three are sent again.
   */
  const takeOver = async (generationId: string, opener: string, epoch: Epoch) => {
    const call = { keys: [REDIS_KEYS.logMeta(generationId)], arguments: [opener, String(epoch)] };
    const send = () =>
      Promise.all([
        redis.evalSha(OPEN.sha, call).then((reply) => replySchema.parse(reply)),
        head(generationId),
        read(generationId, -1),
      ]);
    return send().catch(async (error: unknown) => {
      if (!isUnknownScript(error)) throw error;
      await redis.scriptLoad(OPEN.source);
      return send();
    });
  };

  return {
    head,
    read,

    async view(generationId) {
      const stored = await redis.hGetAll(REDIS_KEYS.logMeta(generationId));
      if (Object.keys(stored).length === 0) return null;
      return { head: parseHead(generationId, stored), view: viewOf(stored) };
    },

    async readMerged(generationId, after = -1) {
      const merged: GenerationEvent[] = [];
      for (let cursor = after; ; ) {
        const page = await read(generationId, cursor, LIMITS.eventsPerRead);
        const last = page.at(-1);
        if (last === undefined) return merged;
        for (const event of coalesce(page, Number.POSITIVE_INFINITY)) merged.push(event);
        // What was appended after the terminal event is nothing.
        if (isTerminal(last)) return merged;
        cursor = last.seq;
      }
    },

    async readInput(generationId) {
      const stored = await redis.get(REDIS_KEYS.logInput(generationId));
      return stored === null ? null : (parseJson(stored) as GenerationInput);
    },

    async followers(generationId) {
      const counted = await redis.sendCommand(['PUBSUB', 'SHARDNUMSUB', REDIS_KEYS.logChannel(generationId)]);
      return z.tuple([z.string(), z.coerce.number()]).parse(counted)[1];
    },

    async erase(generationId) {
      const keys = [REDIS_KEYS.logMeta(generationId), ...textKeysOf(generationId)];
      const [answer] = await run(ERASE, keys, []);
      return answer === 'at-end' ? 'at-end' : 'now';
    },

    async withhold(generationId) {
      const [, stored] = await run(WITHHOLD, [REDIS_KEYS.logMeta(generationId)], []);
      return { mayBeStored: stored === '1' };
    },

    async noteStored(generationId) {
      const [answer] = await run(NOTE_STORED, [REDIS_KEYS.logMeta(generationId)], []);
      return answer === 'noted';
    },

    async create(creation) {
      const { generationId, tenant, user, route, requestHash, counted } = creation;
      const { prompt } = creation.input;
      const start: EventBody = {
        type: 'generation-start',
        generationId,
        route,
        user,
        ...(prompt === undefined ? {} : { prompt: { name: prompt.name, version: prompt.version } }),
      };
      const [created, createdAt, existingHash = ''] = await run(
        CREATE,
        [
          REDIS_KEYS.logMeta(generationId),
          REDIS_KEYS.logStream(generationId),
          REDIS_KEYS.logInput(generationId),
          REDIS_KEYS.compressedInput(generationId),
          REDIS_KEYS.flightMembers(generationId),
        ],
        [
          String(LIMITS.openLogTtlMs),
          encodeEvents([start]),
          creation.inputJson ?? JSON.stringify(creation.input),
          'tenant',
          tenant,
          'user',
          user,
          'route',
          route,
          'requestHash',
          requestHash,
          'metadata',
          JSON.stringify(creation.metadata),
          ...viewFields([start]),
          ...(counted === undefined
            ? []
            : ['inputBytes', String(counted.bytes), 'inputUntilHour', String(counted.untilHour)]),
          ...(creation.origin === undefined ? [] : ['origin', JSON.stringify(creation.origin)]),
        ],
      );
      const isNew = created === '1';
      return {
        created: isNew,
        createdAt: Number(createdAt),
        requestHash: isNew ? requestHash : existingHash,
      };
    },

    async wishCancel(generationId) {
      await run(WISH_CANCEL, [REDIS_KEYS.logMeta(generationId)], []);
    },

    async open(generationId, epoch, onCancelWish) {
      const opener = randomUUID();
      const [[outcome, held], opened, events] = await takeOver(generationId, opener, epoch);
      if (outcome === 'fenced') {
        throw new LogRefused('fenced', `epoch ${epoch} came after epoch ${held}`);
      }
      if (outcome !== 'open' || opened === null) throw new LogRefused('missing', generationId);
      const { nextSeq } = opened;
      const writer = writerOf({ generationId, epoch: Number(held), opener, nextSeq, onCancelWish });
      return { head: opened, events, writer };
    },

    async openFresh(generationId, epoch, events, onCancelWish) {
      const begunAt = performance.now();
      const opener = randomUUID();
      const args = [
        String(epoch),
        String(events.length),
        encodeEvents(events),
        opener,
        ...viewFields(events),
      ];
      const [answer] = await repeated(
        () => run(OPEN_FRESH, keysOf(generationId), args),
        () => listener?.repeated(),
      );
      if (answer !== 'opened') return null;
      listener?.appended({
        generationId,
        count: events.length,
        tookMs: performance.now() - begunAt,
        status: null,
        last: events.at(-1),
      });
      return writerOf({ generationId, epoch, opener, nextSeq: 1 + events.length, onCancelWish });
    },

    async appendOnce(generationId, step, events, when): Promise<OnceOutcome> {
      const batch = { expectedSeq: 0, events, checkpoint: undefined };
      const [answer] = await appendSurely(generationId, when ?? 'once', step, batch);
      return answer === 'appended' || answer === 'ended' || answer === 'opened' ? answer : 'already-appended';
    },
  };
}

function keysOf(generationId: string): string[] {
  return [
    REDIS_KEYS.logMeta(generationId),
    REDIS_KEYS.logStream(generationId),
    REDIS_KEYS.logInput(generationId),
    REDIS_KEYS.logChannel(generationId),
    REDIS_KEYS.compressedInput(generationId),
  ];
}

/** The keys of a log that hold what was asked and answered. */
function textKeysOf(generationId: string): string[] {
  return [
    REDIS_KEYS.logStream(generationId),
    REDIS_KEYS.logInput(generationId),
    REDIS_KEYS.compressedInput(generationId),
  ];
}

type AppendMode = 'fenced' | 'once' | 'unopened';

interface Batch {
  readonly expectedSeq: number;
  readonly events: readonly EventBody[];
  readonly checkpoint: unknown;
  /** Absent outside of any epoch. */
  readonly opener?: string;
}

/** A log that was taken over: by whom, and from which seq on it is written. */
interface Opening {
  readonly generationId: string;
  readonly epoch: number;
  readonly opener: string;
  readonly nextSeq: number;
  readonly onCancelWish?: (() => void) | undefined;
}

/** An append may be sent again after a lost reply: the script recognises it. */
async function repeated<Reply>(send: () => Promise<Reply>, onRepeat: () => void): Promise<Reply> {
  const begunAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      const againMs = isRedisAway(error) ? LIMITS.appendAgainMs : ODD_ERROR_MS;
      if (performance.now() - begunAt > againMs) throw error;
      onRepeat();
      await pause(Math.min(20 * 2 ** attempt, LONGEST_PAUSE_MS));
    }
  }
}

function refused(answer: string | undefined, detail: string | undefined): LogRefused {
  const isKnown = answer === 'fenced' || answer === 'ended' || answer === 'missing' || answer === 'torn';
  const reason = isKnown ? answer : 'conflict';
  return new LogRefused(reason, `log at ${detail ?? 'unknown'}`);
}

function terminalStatus(events: readonly EventBody[]): GenerationStatus | null {
  const last = events.at(-1);
  if (last === undefined || !isTerminal(last)) return null;
  if (last.type === 'generation-end') return 'completed';
  return last.type === 'generation-cancel' ? 'cancelled' : 'failed';
}

function toEvents(entryId: string, fields: Record<string, string>): GenerationEvent[] {
  const bodies = decodeEvents(fields['events'] ?? '[]');
  const lastSeq = Number(entryId.slice(entryId.indexOf('-') + 1));
  return numberEvents(bodies, lastSeq - bodies.length + 1, Number(fields['at']));
}
