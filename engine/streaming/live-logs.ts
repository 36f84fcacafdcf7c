/**
 * The one Redis reader of an API process. A log that someone views has one subscription, whatever the number of
 * viewers; appended batches arrive by it, are handed to all viewers at once and stay in a small window that they
 * share. Pub/sub may lose messages: a viewer who finds a gap reads the log itself, and so does everyone after a
 * reconnect.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { decodeEvents, numberEvents } from './event-codec.ts';

export interface LiveLog {
  /** Events after the cursor if the window has them all; null where the log itself must be read. */
  after(cursor: number): readonly GenerationEvent[] | null;
  /** Viewers who stand at the same place share one read of the log. */
  readTogether(place: string, read: () => Promise<GenerationEvent[]>): Promise<readonly GenerationEvent[]>;
  release(): Promise<void>;
}

/**
 * Called with what has just been appended: the same array for every viewer, so that it can be encoded once for all.
 * Called with null where batches may have been lost. Must not throw.
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

interface Shared {
  events: GenerationEvent[];
  sizes: number[];
  chars: number;
  /** Received in this turn of the event loop and not yet handed out. */
  fresh: GenerationEvent[];
  readonly listeners: Set<BatchListener>;
  readonly reads: Map<string, Promise<readonly GenerationEvent[]>>;
  readonly subscribed: Promise<void>;
}

export function createLiveLogs(subscriber: LiveRedis): LiveLogs {
  const logs = new Map<string, Shared>();
  /** Subscriptions that are being ended. */
  const endings = new Map<string, Promise<void>>();

  subscriber.on('ready', () => {
    // Messages sent while the connection was down are lost: let every viewer read the log.
    for (const shared of logs.values()) {
      empty(shared);
      shared.fresh = [];
      for (const listener of [...shared.listeners]) listener(null);
    }
  });

  const subscribe = (generationId: string): Shared => {
    const channel = REDIS_KEYS.logChannel(generationId);
    const shared: Shared = {
      events: [],
      sizes: [],
      chars: 0,
      fresh: [],
      listeners: new Set(),
      reads: new Map(),
      // The client keeps one state per channel: a subscription that overtakes its predecessor's end is lost with it.
      subscribed: Promise.resolve(endings.get(generationId)?.catch(() => undefined)).then(() =>
        subscriber.sSubscribe(channel, (message) => receive(shared, message)),
      ),
    };
    logs.set(generationId, shared);
    return shared;
  };

  return {
    get followed() {
      return logs.size;
    },
    async follow(generationId, onBatch) {
      const shared = logs.get(generationId) ?? subscribe(generationId);
      // Of its own for each viewer, so that one function may follow a log twice.
      const listener: BatchListener = (batch) => onBatch(batch);
      shared.listeners.add(listener);
      const release = async () => {
        if (!shared.listeners.delete(listener)) return;
        if (shared.listeners.size === 0) await end(generationId, shared);
      };
      await shared.subscribed.catch(async (error: unknown) => {
        await release().catch(() => undefined);
        throw error;
      });
      return {
        after: (cursor) => eventsAfter(shared, cursor),
        readTogether: (place, read) => readTogether(shared, place, read),
        release,
      };
    },
  };

  function end(generationId: string, shared: Shared): Promise<void> {
    logs.delete(generationId);
    const ending = shared.subscribed
      .then(() => subscriber.sUnsubscribe(REDIS_KEYS.logChannel(generationId)))
      .finally(() => {
        if (endings.get(generationId) === ending) endings.delete(generationId);
      });
    endings.set(generationId, ending);
    return ending;
  }
}

function receive(shared: Shared, message: string): void {
  const firstSpace = message.indexOf(' ');
  const secondSpace = message.indexOf(' ', firstSpace + 1);
  const firstSeq = Number(message.slice(0, firstSpace));
  const at = Number(message.slice(firstSpace + 1, secondSpace));
  const batch = numberEvents(decodeEvents(message.slice(secondSpace + 1)), firstSeq, at);
  const last = shared.events.at(-1);
  if (last !== undefined && last.seq + 1 !== firstSeq) empty(shared);
  const size = message.length / Math.max(1, batch.length);
  for (const event of batch) {
    shared.events.push(event);
    shared.sizes.push(size);
  }
  shared.chars += message.length;
  trim(shared);
  // What came in one read of the socket goes to the viewers as one batch.
  if (shared.fresh.length === 0) setImmediate(() => handOut(shared));
  shared.fresh = shared.fresh.length === 0 ? batch : [...shared.fresh, ...batch];
}

function handOut(shared: Shared): void {
  const batch = shared.fresh;
  shared.fresh = [];
  if (batch.length > 0) for (const listener of [...shared.listeners]) listener(batch);
}

function trim(shared: Shared): void {
  if (shared.chars <= LIMITS.relayWindowBytes) return;
  // Down to half, so that the arrays are not shifted for each batch.
  let drop = 0;
  while (shared.chars > LIMITS.relayWindowBytes / 2 && drop < shared.events.length - 1) {
    shared.chars -= shared.sizes[drop] ?? 0;
    drop += 1;
  }
  shared.events = shared.events.slice(drop);
  shared.sizes = shared.sizes.slice(drop);
}

function empty(shared: Shared): void {
  shared.events = [];
  shared.sizes = [];
  shared.chars = 0;
}

function readTogether(
  { reads }: Shared,
  place: string,
  read: () => Promise<GenerationEvent[]>,
): Promise<readonly GenerationEvent[]> {
  let reading = reads.get(place);
  if (reading === undefined) {
    reading = read().finally(() => reads.delete(place));
    reads.set(place, reading);
  }
  return reading;
}

function eventsAfter(shared: Shared, cursor: number): readonly GenerationEvent[] | null {
  const first = shared.events[0];
  // Of what comes after the last that it received, it knows nothing.
  if (first === undefined || cursor + 1 < first.seq || cursor >= first.seq + shared.events.length)
    return null;
  return shared.events.slice(cursor + 1 - first.seq);
}
