/**
 * Packs a log once it has ended: few entries take the place of one for each append, with the same events under the same
 * numbers. One script exchanges them, so a reader sees the ones or the others, and a log whose packing was interrupted
 * is as it was.
 *
 * The process that wrote the end packs the log soon after, outside of every request. If it dies first, the process that
 * settles the generation does.
 */
import { z } from 'zod';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { runScript, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { LogListener } from './event-log.ts';
import { eventsIn } from './log-entry.ts';
import { keysOf } from './log-keys.ts';
import { type PackedEntry, packEvents } from './packed-events.ts';

const replySchema = z.tuple([z.enum(['packed', 'kept'])]);

/** Entries of a log that are read at once: packing a page takes a few ms. */
const ENTRIES_PER_READ = 256;
/** A log of fewer entries is left as it is. */
const LEAST_ENTRIES = 3;
/** Logs that are packed at the same time, and that wait for it. What is beyond stays unpacked. */
const AT_ONCE = 4;
const MOST_WAITING = 10_000;
/** Logs of which this process remembers that it has packed them. */
const REMEMBERED = 4_096;

/**
 * Exchanges the entries of an ended log.
 * KEYS meta, stream. ARGV seq of the log's next event; entries that were read; then for each new one: id, field, value.
 * -> {'packed'} | {'kept'}: the log is not the one that was read
 */
export const PACK = script(`
local META, STREAM = unpack(KEYS)
local status, next, packed = unpack(redis.call('HMGET', META, 'status', 'next', 'packed'))
if not next or status == 'running' or packed or next ~= ARGV[1] then return {'kept'} end
if redis.call('XLEN', STREAM) ~= tonumber(ARGV[2]) then return {'kept'} end
local leftMs = redis.call('PTTL', STREAM)
redis.call('DEL', STREAM)
for index = 3, #ARGV, 3 do redis.call('XADD', STREAM, ARGV[index], ARGV[index + 1], ARGV[index + 2]) end
-- Redis allocates 4 kB for the last entries of a stream, and gives back what they do not need when others follow.
redis.call('XADD', STREAM, '1-' .. next, 'x', string.rep('x', 4096))
redis.call('XDEL', STREAM, '1-' .. next)
if leftMs > 0 then redis.call('PEXPIRE', STREAM, leftMs) end
redis.call('HSET', META, 'packed', '1')
return {'packed'}
`);

/** What packing needs of a node-redis client. */
export interface PackRedis extends ScriptRedis {
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  xRange(
    key: string,
    start: string,
    end: string,
    options?: { readonly COUNT: number },
  ): Promise<{ readonly id: string; readonly message: Record<string, string> }[] | null>;
}

export class LogPacker {
  readonly #redis: PackRedis;
  readonly #onError: (error: unknown) => void;
  readonly #waiting: string[] = [];
  readonly #done = new BoundedMap<string, true>(REMEMBERED);
  #running = 0;
  #idle: PromiseWithResolvers<void> | null = null;

  /** @param onError receives why a log was not packed: it is as it was, and only larger. */
  constructor(redis: PackRedis, onError: (error: unknown) => void) {
    this.#redis = redis;
    this.#onError = onError;
  }

  /** Observes the appends of this process. */
  listener(other: LogListener): LogListener {
    return {
      appended: (append) => {
        other.appended(append);
        if (append.status !== null) this.enqueue(append.generationId);
      },
      retried: () => other.retried(),
      refused: (reason) => other.refused(reason),
    };
  }

  /** Packs an ended log soon, unless this process has done so already. Never throws. */
  enqueue(generationId: string): void {
    if (this.#done.get(generationId) === true || this.#waiting.length >= MOST_WAITING) return;
    this.#done.set(generationId, true);
    this.#waiting.push(generationId);
    if (this.#running < AT_ONCE) void this.#work();
  }

  /** Resolves when no log waits for it. */
  async idle(): Promise<void> {
    if (this.#running === 0) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** @returns whether the log is packed now. It is not if it runs, is small already, or is gone. */
  async pack(generationId: string): Promise<boolean> {
    const { meta, stream } = keysOf(generationId);
    const [status, next, packed] = await this.#redis.hmGet(meta, ['status', 'next', 'packed']);
    if (next == null || status === 'running') return false;
    if (packed != null) return true;
    const { entries, count, nextSeq } = await readPacked(this.#redis, stream);
    if (count < LEAST_ENTRIES || String(nextSeq) !== next) return false;
    const fields = entries.flatMap(({ lastSeq, field, value }) => [`1-${lastSeq}`, field, value]);
    const reply = await runScript(this.#redis, PACK, [meta, stream], [next, count, ...fields]);
    return replySchema.parse(reply)[0] === 'packed';
  }

  async #work(): Promise<void> {
    this.#running += 1;
    for (;;) {
      const generationId = this.#waiting.shift();
      if (generationId === undefined) break;
      await this.pack(generationId).catch(this.#onError);
    }
    this.#running -= 1;
    if (this.#running > 0) return;
    this.#idle?.resolve();
    this.#idle = null;
  }
}

/** The entries of an ended log, packed, whether they are so in Redis or not; with what was read for it. */
export async function readPacked(redis: Pick<PackRedis, 'xRange'>, stream: string) {
  const entries: PackedEntry[] = [];
  let count = 0;
  let nextSeq = 0;
  for (let from = '-'; ; ) {
    const page = (await redis.xRange(stream, from, '+', { COUNT: ENTRIES_PER_READ })) ?? [];
    const events = eventsIn(page);
    for (const entry of packEvents(events)) entries.push(entry);
    count += page.length;
    nextSeq = (events.at(-1)?.seq ?? nextSeq - 1) + 1;
    const last = page.at(-1);
    if (last === undefined || page.length < ENTRIES_PER_READ) return { entries, count, nextSeq };
    from = `(${last.id}`;
  }
}
