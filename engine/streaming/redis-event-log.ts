/**
 * The event log in Redis Streams. One stream entry is one atomic batch; its id is `1-<last seq>`, so `XRANGE (1-N +`
 * reads everything after a cursor N, even if N lies inside a batch. Redis' clock stamps the events. Once the log has
 * ended, `log-packer.ts` packs its entries into few.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { luaFields, runScript, type Script } from '../../platform/redis/lua-script.ts';
import { isRedisAway } from '../../platform/redis/redis-connection.ts';
import { encodeEvents } from './event-codec.ts';
import {
  type CreatedLog,
  type Epoch,
  type EventLog,
  type LogCreation,
  type LogHead,
  type LogListener,
  LogRefused,
  type LogWriter,
  type OnceOutcome,
  type OpenedLog,
  type Withheld,
} from './event-log.ts';
import { FrameClock } from './frame-clock.ts';
import type { AppendReply, Batch, FencedBatch } from './log-batch.ts';
import { eventsIn } from './log-entry.ts';
import { type LogFacts, parseLogFacts } from './log-facts.ts';
import { appendFields, changesHead, creationFields, startOf, statusAfter } from './log-fields.ts';
import { parseHead } from './log-head.ts';
import { keysOf } from './log-keys.ts';
import type { PackRedis } from './log-packer.ts';
import {
  APPEND,
  APPEND_FRAME,
  COUNT_FOLLOWERS,
  CREATE,
  DISOWN,
  ERASE,
  KEEP_NO_LONGER,
  MARK_STORED,
  OPEN,
  OPEN_FRESH,
  REQUEST_CANCEL,
  WITHHOLD,
} from './log-scripts.ts';
import { type LogView, parseLogView } from './log-view.ts';
import { BatchingLogWriter, type WriterLimits } from './log-writer.ts';
import { pause } from './pause.ts';
import { readMerged } from './read-merged.ts';

const LONGEST_PAUSE_MS = 500;
/** How long an append is retried after an error that does not say that Redis is unreachable. */
const UNKNOWN_ERROR_RETRY_MS = 10_000;

const replySchema = z.array(z.coerce.string());

/** What the log needs of a node-redis client. */
export interface LogRedis extends PackRedis {
  get(key: string): Promise<string | null>;
  hGetAll(key: string): Promise<Record<string, string>>;
}

interface LogOptions {
  /** How long an ended log is kept. */
  readonly retentionMs: number;
  readonly listener?: LogListener | undefined;
  readonly writer?: WriterLimits | undefined;
  /** At most one append of a writer leaves in a frame. */
  readonly frameMs?: number | undefined;
}

export class RedisEventLog implements EventLog {
  readonly #redis: LogRedis;
  readonly #options: LogOptions;
  readonly #frames: FrameClock;

  constructor(redis: LogRedis, options: LogOptions) {
    this.#redis = redis;
    this.#options = options;
    this.#frames = new FrameClock(options.frameMs ?? DEFAULTS.frameMs);
  }

  async create(creation: LogCreation): Promise<CreatedLog> {
    const { generationId, requestHash } = creation;
    const keys = keysOf(generationId);
    const events = [startOf(creation)];
    const [created, createdAt, existingHash = ''] = await this.#run(
      CREATE,
      [keys.meta, keys.stream, keys.input, keys.compressed, keys.members],
      [
        luaFields({ ttlMs: LIMITS.openLogTtlMs, fields: creationFields(creation, events) }),
        encodeEvents(events),
        creation.inputJson ?? JSON.stringify(creation.input),
      ],
    );
    const isNew = created === '1';
    return {
      created: isNew,
      createdAt: Number(createdAt),
      requestHash: isNew ? requestHash : existingHash,
    };
  }

  async open(generationId: string, epoch: Epoch, onCancelRequest?: () => void): Promise<OpenedLog> {
    const opener = randomUUID();
    const [[outcome, held], head, events] = await this.#takeOver(generationId, opener, epoch);
    if (outcome === 'fenced') throw new LogRefused('fenced', `epoch ${epoch} came after epoch ${held}`);
    if (outcome !== 'open' || head === null) throw new LogRefused('missing', generationId);
    // An ended log keeps the epoch of its end.
    const isRaised = head.status !== 'running' || epoch === 'newest' || Number(held) === epoch;
    assert(isRaised, `The log was opened with epoch ${epoch} and is in epoch ${held}.`);
    const { nextSeq } = head;
    if (head.isCancelRequested) onCancelRequest?.();
    const writer = this.#writerFor({ generationId, epoch: Number(held), opener, nextSeq, onCancelRequest });
    return { head, events, writer };
  }

  async openFresh(
    generationId: string,
    epoch: number,
    events: readonly EventBody[],
    onCancelRequest?: () => void,
  ): Promise<LogWriter | null> {
    const startedAt = performance.now();
    const opener = randomUUID();
    const keys = keysOf(generationId);
    const fields = { epoch, opener, count: events.length, fields: appendFields(events) };
    const args = [luaFields(fields), encodeEvents(events)];
    const [answer] = await this.#retried(() =>
      this.#run(OPEN_FRESH, [keys.meta, keys.stream, keys.channel], args),
    );
    if (answer !== 'opened') return null;
    this.#reportAppended(generationId, events, startedAt);
    return this.#writerFor({ generationId, epoch, opener, nextSeq: 1 + events.length, onCancelRequest });
  }

  async appendOnce(
    generationId: string,
    step: string,
    events: readonly EventBody[],
    when?: 'unopened' | 'uncancelled',
  ): Promise<OnceOutcome> {
    const hasFirstText = events.some(isText);
    const batch = { mode: when ?? 'once', step, events, hasFirstText } as const;
    return (await this.#append(generationId, batch)).answer;
  }

  async requestCancel(generationId: string): Promise<void> {
    const ask = { generationId, channel: REDIS_KEYS.cancelRequests };
    await this.#run(REQUEST_CANCEL, [keysOf(generationId).meta], [luaFields(ask)]);
  }

  async erase(generationId: string): Promise<'now' | 'at-end'> {
    const { meta, stream, input, compressed } = keysOf(generationId);
    const [answer] = await this.#run(ERASE, [meta, stream, input, compressed], []);
    return answer === 'at-end' ? 'at-end' : 'now';
  }

  async disown(generationId: string): Promise<void> {
    await this.#run(DISOWN, [keysOf(generationId).meta], []);
  }

  async keepNoLonger(generationId: string): Promise<void> {
    const { meta, stream, input, compressed } = keysOf(generationId);
    const { retentionMs } = this.#options;
    await this.#run(KEEP_NO_LONGER, [meta, stream, input, compressed], [luaFields({ retentionMs })]);
  }

  async withhold(generationId: string): Promise<Withheld> {
    const [, stored] = await this.#run(WITHHOLD, [keysOf(generationId).meta], []);
    return { mayBeStored: stored === '1' };
  }

  async markStored(generationId: string): Promise<boolean> {
    const [answer] = await this.#run(MARK_STORED, [keysOf(generationId).meta], []);
    return answer === 'noted';
  }

  async head(generationId: string): Promise<LogHead | null> {
    return (await this.view(generationId))?.head ?? null;
  }

  known(generationId: string): Promise<LogHead | null> {
    return this.head(generationId);
  }

  /** Whether Redis has the log itself, or only what it keeps of an archived one: perhaps that it was just erased. */
  async placeOf(generationId: string): Promise<'here' | 'elsewhere' | 'erased-elsewhere'> {
    const fields = ['next', 'archived', 'erased'];
    const [next, archived, erased] = await this.#redis.hmGet(keysOf(generationId).meta, fields);
    if (next != null && archived == null) return 'here';
    return erased == null ? 'elsewhere' : 'erased-elsewhere';
  }

  async view(generationId: string): Promise<{ head: LogHead; view: LogView | null } | null> {
    const stored = await this.#redis.hGetAll(keysOf(generationId).meta);
    if (Object.keys(stored).length === 0) return null;
    return { head: parseHead(generationId, stored), view: parseLogView(stored) };
  }

  async facts(generationId: string): Promise<LogFacts | null> {
    return parseLogFacts(await this.#redis.hGetAll(keysOf(generationId).meta));
  }

  async read(generationId: string, after: number, maxEntries?: number): Promise<GenerationEvent[]> {
    const key = keysOf(generationId).stream;
    const from = after < 0 ? '-' : `(1-${after}`;
    let entries = await this.#redis.xRange(
      key,
      from,
      // The id of an entry is the number of its last event, so a range of ids bounds the number of events.
      maxEntries === undefined ? '+' : `1-${Math.max(after, -1) + LIMITS.eventsPerRead}`,
      maxEntries === undefined ? undefined : { COUNT: maxEntries },
    );
    // The next entry alone may hold more.
    if (maxEntries !== undefined && (entries ?? []).length === 0) {
      entries = await this.#redis.xRange(key, from, '+', { COUNT: 1 });
    }
    return eventsIn(entries ?? []).filter((event) => event.seq > after);
  }

  async readMerged(generationId: string, after = -1): Promise<GenerationEvent[]> {
    return readMerged((cursor) => this.read(generationId, cursor, LIMITS.eventsPerRead), after);
  }

  async readInput(generationId: string): Promise<GenerationInput | null> {
    const stored = await this.#redis.get(keysOf(generationId).input);
    return stored === null ? null : (parseJson(stored) as GenerationInput);
  }

  async followers(generationId: string): Promise<number> {
    const [count] = await this.#run(COUNT_FOLLOWERS, [keysOf(generationId).channel], []);
    return Number(count);
  }

  async #run(script: Script, keys: string[], args: string[]): Promise<string[]> {
    return replySchema.parse(await runScript(this.#redis, script, keys, args));
  }

  /**
   * One round trip: the three commands leave together, and one server runs them in this order. A read that ran before
   * the fence could miss the last append of the previous writer. That happens if Redis does not know the script, and in
   * a cluster whose slots move, where each command is redirected by itself. So what was read is used only if it shows
   * the fence and is whole; else it is read again, behind the fence.
   */
  async #takeOver(generationId: string, opener: string, epoch: Epoch) {
    const { meta } = keysOf(generationId);
    const read = () => Promise.all([this.#redis.hGetAll(meta), this.read(generationId, -1)]);
    const [fence, early] = await Promise.all([
      this.#run(OPEN, [meta], [luaFields({ opener, epoch })]),
      // Read again below, where the fence itself has not failed.
      read().catch(() => null),
    ]);
    const isWhole =
      early !== null &&
      early[0]['opener'] === opener &&
      (early[1].at(-1)?.seq ?? -1) + 1 === Number(early[0]['next']);
    const [stored, events] = isWhole ? early : await read();
    const head = Object.keys(stored).length === 0 ? null : parseHead(generationId, stored);
    return [fence, head, events] as const;
  }

  #writerFor({ generationId, epoch, opener, nextSeq, onCancelRequest }: Opening): LogWriter {
    let hasText = false;
    return new BatchingLogWriter({
      firstSeq: nextSeq,
      opener,
      limits: this.#options.writer,
      frames: this.#frames,
      append: async (expectedSeq, events, checkpoint) => {
        const fence = { mode: 'fenced', epoch, opener, expectedSeq, checkpoint } as const;
        const hasFirstText = !hasText && events.some(isText);
        const batch = { ...fence, events, hasFirstText };
        const appended =
          (await this.#appendFrame(generationId, batch)) ?? (await this.#append(generationId, batch));
        hasText ||= hasFirstText;
        if (appended.isCancelRequested) onCancelRequest?.();
        return appended.nextSeq;
      },
    });
  }

  /**
   * Appends a batch that changes nothing but the log, as almost all do, by a script that costs a third of the other.
   * @returns null if the batch is not such a one, or if the script refuses it: the other one says why.
   */
  async #appendFrame(generationId: string, batch: FencedBatch): Promise<AppendReply | null> {
    const { epoch, opener, expectedSeq, checkpoint, events, hasFirstText } = batch;
    if (hasFirstText || changesHead(events)) return null;
    const startedAt = performance.now();
    const { meta, stream, channel } = keysOf(generationId);
    const nextSeq = expectedSeq + events.length;
    const cursor = checkpoint === undefined ? '' : JSON.stringify(checkpoint);
    const args = [epoch, opener, expectedSeq, nextSeq, `1-${nextSeq - 1}`, encodeEvents(events), cursor];
    const [answer, cancel] = await this.#retried(() =>
      this.#run(APPEND_FRAME, [meta, stream, channel], args.map(String)),
    );
    if (answer !== 'appended') return null;
    this.#reportAppended(generationId, events, startedAt);
    return { answer, nextSeq, isCancelRequested: cancel === '1' };
  }

  /** Appends a batch, retried until Redis answers. Throws `LogRefused`. */
  async #append(generationId: string, { events, hasFirstText, ...batch }: Batch): Promise<AppendReply> {
    const startedAt = performance.now();
    const keys = keysOf(generationId);
    const fields = {
      ...batch,
      count: events.length,
      hasFirstText: hasFirstText || undefined,
      status: statusAfter(events) ?? undefined,
      checkpoint: batch.mode === 'fenced' ? JSON.stringify(batch.checkpoint) : undefined,
      retentionMs: this.#options.retentionMs,
      fields: appendFields(events),
    };
    const args = [luaFields(fields), encodeEvents(events)];
    const touched = [keys.meta, keys.stream, keys.input, keys.channel, keys.compressed];
    const [answer = '', detail = '', cancel] = await this.#retried(() => this.#run(APPEND, touched, args));
    if (answer === 'appended') this.#reportAppended(generationId, events, startedAt);
    const isAppended = answer === 'appended' || answer === 'already-appended';
    const isTooLate =
      batch.mode !== 'fenced' && (answer === 'ended' || answer === 'opened' || answer === 'cancel-requested');
    if (isAppended || isTooLate)
      return { answer, nextSeq: Number(detail), isCancelRequested: cancel === '1' };
    const refusal = toLogRefused(answer, detail);
    this.#options.listener?.refused(refusal.reason);
    throw refusal;
  }

  /** Sends a script again after its reply was lost, which the script recognises. */
  async #retried<Reply>(send: () => Promise<Reply>): Promise<Reply> {
    const startedAt = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send();
      } catch (error) {
        const retryMs = isRedisAway(error) ? LIMITS.appendAgainMs : UNKNOWN_ERROR_RETRY_MS;
        if (performance.now() - startedAt > retryMs) throw error;
        this.#options.listener?.retried();
        await pause(Math.min(20 * 2 ** attempt, LONGEST_PAUSE_MS));
      }
    }
  }

  #reportAppended(generationId: string, events: readonly EventBody[], startedAt: number): void {
    this.#options.listener?.appended({
      generationId,
      count: events.length,
      tookMs: performance.now() - startedAt,
      status: statusAfter(events),
      last: events.at(-1),
    });
  }
}

/** A log that was taken over: by whom, and from which seq on it is written. */
interface Opening {
  readonly generationId: string;
  readonly epoch: number;
  readonly opener: string;
  readonly nextSeq: number;
  readonly onCancelRequest?: (() => void) | undefined;
}

function isText({ type }: EventBody): boolean {
  return type === 'text-delta';
}

function toLogRefused(answer: string, detail: string): LogRefused {
  const isKnown = answer === 'fenced' || answer === 'ended' || answer === 'missing' || answer === 'torn';
  return new LogRefused(isKnown ? answer : 'conflict', `log at ${detail}`);
}
