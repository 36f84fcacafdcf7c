/**
 * The one Redis reader of an API process. A log with viewers has one subscription, regardless of their number. Appended
 * batches arrive by it, go to all viewers at once, and stay in a small window that the viewers share. Pub/sub may lose
 * messages: a viewer that finds a gap reads the log itself, and so does every viewer after a reconnect.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { decodeEvents, numberEvents } from './event-codec.ts';

/** Of an event in memory, beside its text. */
const EVENT_BYTES = 160;

export interface LiveLog {
  /**
   * Events after the cursor if the window has all of them; null if the log itself must be read.
   * @param cursorAtMs `at` of the viewer's event at the cursor, if it has one. After Redis has lost the log's tail,
   * the window may hold another event with that seq.
   */
  after(cursor: number, cursorAtMs?: number | null): readonly GenerationEvent[] | null;
  /** Viewers at the same place share one read of the log. */
  readTogether(place: string, read: () => Promise<GenerationEvent[]>): Promise<readonly GenerationEvent[]>;
  release(): Promise<void>;
}

/**
 * Called with the batch that was just appended: the same array for every viewer, so that it is encoded once for all.
 * Called with null if batches may have been lost. Must not throw.
 */
export type BatchListener = (batch: readonly GenerationEvent[] | null) => void;

export interface LiveLogs {
  follow(generationId: string, onBatch: BatchListener): Promise<LiveLog>;
  readonly followed: number;
}

/** What live logs need of a node-redis client that only subscribes. */
export interface LiveRedis {
  on(event: 'ready', listener: () => void): unknown;
  sSubscribe(channel: string, listener: (message: string) => void): Promise<void>;
  sUnsubscribe(channel: string): Promise<void>;
}

export class RedisLiveLogs implements LiveLogs {
  readonly #subscriber: LiveRedis;
  readonly #logs = new Map<string, SharedLog>();
  /** Unsubscriptions in progress. */
  readonly #endings = new Map<string, Promise<void>>();

  constructor(subscriber: LiveRedis) {
    this.#subscriber = subscriber;
    subscriber.on('ready', () => {
      // Messages sent while the connection was down are lost.
      for (const shared of this.#logs.values()) shared.reportLoss();
    });
  }

  get followed(): number {
    return this.#logs.size;
  }

  async follow(generationId: string, onBatch: BatchListener): Promise<LiveLog> {
    const shared = this.#logs.get(generationId) ?? this.#subscribe(generationId);
    const follower = new Follower(shared, onBatch);
    try {
      await shared.subscribed;
    } catch (error) {
      await follower.release().catch(() => undefined);
      throw error;
    }
    return follower;
  }

  #subscribe(generationId: string): SharedLog {
    // The client keeps one state per channel: a subscription that overtakes the end of the previous one is lost with
    // it.
    const previousEnd = Promise.resolve(this.#endings.get(generationId)?.catch(() => undefined));
    const shared: SharedLog = new SharedLog({
      subscribe: (receive) =>
        previousEnd.then(() => this.#subscriber.sSubscribe(REDIS_KEYS.logChannel(generationId), receive)),
      unsubscribe: () => this.#unsubscribe(generationId, shared),
    });
    this.#logs.set(generationId, shared);
    return shared;
  }

  #unsubscribe(generationId: string, shared: SharedLog): Promise<void> {
    this.#logs.delete(generationId);
    const ending = shared.subscribed
      .then(() => this.#subscriber.sUnsubscribe(REDIS_KEYS.logChannel(generationId)))
      .finally(() => {
        if (this.#endings.get(generationId) === ending) this.#endings.delete(generationId);
      });
    this.#endings.set(generationId, ending);
    return ending;
  }
}

/** One viewer of a log. There are as many as there are open streams. */
class Follower implements LiveLog {
  readonly onBatch: BatchListener;
  readonly #shared: SharedLog;

  constructor(shared: SharedLog, onBatch: BatchListener) {
    this.onBatch = onBatch;
    this.#shared = shared;
    shared.followers.add(this);
  }

  after(cursor: number, cursorAtMs?: number | null): readonly GenerationEvent[] | null {
    return this.#shared.after(cursor, cursorAtMs);
  }

  readTogether(place: string, read: () => Promise<GenerationEvent[]>): Promise<readonly GenerationEvent[]> {
    return this.#shared.readTogether(place, read);
  }

  async release(): Promise<void> {
    const { followers, unsubscribe } = this.#shared;
    if (followers.delete(this) && followers.size === 0) await unsubscribe();
  }
}

interface Subscription {
  readonly subscribe: (receive: (message: string) => void) => Promise<void>;
  readonly unsubscribe: () => Promise<void>;
}

/** One followed log: its viewers, and the window of its last events. */
class SharedLog {
  readonly followers = new Set<Follower>();
  readonly subscribed: Promise<void>;
  readonly unsubscribe: () => Promise<void>;
  #events: GenerationEvent[] = [];
  /** What each event takes, for the size of the window. */
  #sizes: number[] = [];
  #bytes = 0;
  /** Received in this turn of the event loop, and not yet passed to the viewers. */
  #fresh: GenerationEvent[] = [];
  readonly #reads = new Map<string, Promise<readonly GenerationEvent[]>>();

  constructor({ subscribe, unsubscribe }: Subscription) {
    this.unsubscribe = unsubscribe;
    this.subscribed = subscribe((message) => this.#receive(message));
  }

  reportLoss(): void {
    this.#clear();
    this.#fresh = [];
    for (const { onBatch } of [...this.followers]) onBatch(null);
  }

  after(cursor: number, cursorAtMs: number | null = null): readonly GenerationEvent[] | null {
    const first = this.#events[0];
    // The window knows nothing about events after the last one that it received.
    if (first === undefined || cursor + 1 < first.seq || cursor >= first.seq + this.#events.length)
      return null;
    const atCursor = this.#events[cursor - first.seq];
    if (cursorAtMs !== null && atCursor !== undefined && atCursor.at !== cursorAtMs) return null;
    return this.#events.slice(cursor + 1 - first.seq);
  }

  readTogether(place: string, read: () => Promise<GenerationEvent[]>): Promise<readonly GenerationEvent[]> {
    const pending = this.#reads.get(place);
    if (pending !== undefined) return pending;
    const reading = read().finally(() => this.#reads.delete(place));
    this.#reads.set(place, reading);
    return reading;
  }

  #receive(message: string): void {
    const firstSpace = message.indexOf(' ');
    const secondSpace = message.indexOf(' ', firstSpace + 1);
    const firstSeq = Number(message.slice(0, firstSpace));
    const at = Number(message.slice(firstSpace + 1, secondSpace));
    const batch = numberEvents(decodeEvents(message.slice(secondSpace + 1)), firstSeq, at);
    const last = this.#events.at(-1);
    if (last !== undefined && last.seq + 1 !== firstSeq) this.#clear();
    const size = EVENT_BYTES + message.length / Math.max(1, batch.length);
    for (const event of batch) {
      this.#events.push(event);
      this.#sizes.push(size);
      this.#bytes += size;
    }
    this.#trim(batch.length);
    // Messages of one read of the socket reach the viewers as one batch.
    if (this.#fresh.length === 0) setImmediate(() => this.#passOn());
    this.#fresh = this.#fresh.length === 0 ? batch : [...this.#fresh, ...batch];
  }

  #passOn(): void {
    const batch = this.#fresh;
    this.#fresh = [];
    if (batch.length > 0) for (const { onBatch } of [...this.followers]) onBatch(batch);
  }

  /** @param newest of which none is dropped: who has just read the log needs them. */
  #trim(newest: number): void {
    if (this.#bytes <= LIMITS.relayWindowBytes) return;
    // Down to half, so that the arrays are not shifted for each batch.
    let dropped = 0;
    while (this.#bytes > LIMITS.relayWindowBytes / 2 && dropped < this.#events.length - newest) {
      this.#bytes -= this.#sizes[dropped] ?? 0;
      dropped += 1;
    }
    this.#events = this.#events.slice(dropped);
    this.#sizes = this.#sizes.slice(dropped);
  }

  #clear(): void {
    this.#events = [];
    this.#sizes = [];
    this.#bytes = 0;
  }
}
