/**
 * The one Redis reader of an API process. A log that someone views has one subscription, whatever the number of
 * viewers; appended batches arrive by it and stay in a small window that all viewers of the log share. Pub/sub may
 * lose messages: a viewer who finds a gap reads the log itself, and so does everyone after a reconnect.
 */
import type { GenerationEvent } from '../contracts/events.ts';
import { LIMITS } from '../contracts/limits.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import { decodeEvents, numberEvents } from './event-codec.ts';
import type { RedisConnection } from './redis-connection.ts';

export interface LiveLog {
  /** Events after the cursor if the window has them all; null where the log itself must be read. */
  after(cursor: number): readonly GenerationEvent[] | null;
  /** Resolves when there may be more than the caller has seen, or after `timeoutMs` (then false). */
  changed(timeoutMs: number, signal: AbortSignal): Promise<boolean>;
  release(): Promise<void>;
}

export interface LiveLogs {
  follow(generationId: string): Promise<LiveLog>;
  readonly followed: number;
}

interface Shared {
  events: GenerationEvent[];
  sizes: number[];
  chars: number;
  viewers: number;
  readonly waiting: Set<() => void>;
  readonly subscribed: Promise<void>;
}

export function createLiveLogs(subscriber: RedisConnection): LiveLogs {
  const logs = new Map<string, Shared>();

  subscriber.on('ready', () => {
    // Messages sent while the connection was down are lost: let every viewer read the log.
    for (const shared of logs.values()) {
      empty(shared);
      wake(shared);
    }
  });

  const subscribe = (generationId: string): Shared => {
    const channel = REDIS_KEYS.logChannel(generationId);
    const shared: Shared = {
      events: [],
      sizes: [],
      chars: 0,
      viewers: 0,
      waiting: new Set(),
      subscribed: Promise.resolve().then(() =>
        subscriber.sSubscribe(channel, (message) => {
          receive(shared, message);
          wake(shared);
        }),
      ),
    };
    logs.set(generationId, shared);
    return shared;
  };

  return {
    get followed() {
      return logs.size;
    },
    async follow(generationId) {
      const shared = logs.get(generationId) ?? subscribe(generationId);
      shared.viewers += 1;
      let released = false;
      const release = async () => {
        if (released) return;
        released = true;
        shared.viewers -= 1;
        if (shared.viewers === 0) {
          logs.delete(generationId);
          await shared.subscribed.then(() => unsubscribeUnlessFollowed(generationId));
        }
      };
      await shared.subscribed.catch(async (error: unknown) => {
        await release().catch(() => undefined);
        throw error;
      });
      return {
        after: (cursor) => eventsAfter(shared, cursor),
        changed: (timeoutMs, signal) => changed(shared, timeoutMs, signal),
        release,
      };
    },
  };

  async function unsubscribeUnlessFollowed(generationId: string): Promise<void> {
    if (!logs.has(generationId)) await subscriber.sUnsubscribe(REDIS_KEYS.logChannel(generationId));
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

function wake(shared: Shared): void {
  const waiting = [...shared.waiting];
  shared.waiting.clear();
  for (const resolve of waiting) resolve();
}

function eventsAfter(shared: Shared, cursor: number): readonly GenerationEvent[] | null {
  const first = shared.events[0];
  if (first === undefined || cursor + 1 < first.seq) return null;
  return shared.events.slice(cursor + 1 - first.seq);
}

function changed(shared: Shared, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (value: boolean) => {
      clearTimeout(timer);
      shared.waiting.delete(onChange);
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    };
    const onChange = () => settle(true);
    const onAbort = () => settle(false);
    const timer = setTimeout(() => settle(false), timeoutMs);
    shared.waiting.add(onChange);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
