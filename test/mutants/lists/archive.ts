/** Bugs of logs that are packed and archived, and of the object store. */
import type { Check, Mutant } from '../mutant.ts';

const PACKED: Check = { tests: ['test/engine/streaming/packed-events.test.ts'] };
const EVENT_LOG: Check = { tests: ['test/engine/streaming/event-log.test.ts'] };
const ARCHIVED: Check = { tests: ['test/engine/archive/archived-logs.test.ts'] };
const CRASH: Check = { tests: ['test/engine/archive/archive-crash.test.ts'] };
const FULL: Check = { tests: ['test/engine/archive/full-redis.test.ts'] };
const LEDGER: Check = { tests: ['test/engine/archive/ledger-archive.test.ts'] };

export const ARCHIVE_MUTANTS: readonly Mutant[] = [
  {
    name: 'packed-times-forget-a-clock-that-went-back',
    breaks: 'The events of a packed log have other times than before.',
    file: 'engine/streaming/packed-events.ts',
    find: 'steps.push(at - before);',
    replace: 'steps.push(Math.max(0, at - before));',
    caughtBy: PACKED,
  },
  {
    name: 'erased-log-packed-again',
    breaks: 'A log that was erased while it was being packed has its texts back.',
    file: 'engine/streaming/log-packer.ts',
    find: "if redis.call('XLEN', STREAM) ~= tonumber(ARGV[2]) then return {'kept'} end\n",
    replace: '',
    caughtBy: EVENT_LOG,
  },
  {
    name: 'packed-log-kept-forever',
    breaks: 'A packed log never expires.',
    file: 'engine/streaming/log-packer.ts',
    find: "if leftMs > 0 then redis.call('PEXPIRE', STREAM, leftMs) end\n",
    replace: '',
    caughtBy: EVENT_LOG,
  },
  {
    name: 'full-redis-stays-full',
    breaks: 'At its limit of memory, Redis refuses what would make room: the archive, and deletions.',
    file: 'platform/redis/lua-script.ts',
    find: '#!lua flags=allow-oom\\n',
    replace: '',
    caughtBy: FULL,
  },
  {
    name: 'removed-before-it-is-archived',
    breaks: 'A worker that dies while it archives loses the log.',
    file: 'engine/archive/log-archiver.ts',
    find: `      await this.#options.archive.write(snapshot.log, inTime);
      const answer = await this.#remove(snapshot);`,
    replace: `      const answer = await this.#remove(snapshot);
      await this.#options.archive.write(snapshot.log, inTime);`,
    caughtBy: CRASH,
  },
  {
    name: 'forgotten-before-it-is-archived',
    breaks: 'A log whose worker died stays in Redis.',
    file: 'engine/archive/archive-scripts.ts',
    find: "for _, member in ipairs(claimed) do redis.call('ZADD', KEYS[1], untilMs, member) end",
    replace: "for _, member in ipairs(claimed) do redis.call('ZREM', KEYS[1], member) end",
    caughtBy: CRASH,
  },
  {
    name: 'erased-while-it-was-archived',
    breaks: 'A deletion that comes while the log is being archived leaves its text in the archive.',
    file: 'engine/archive/archive-scripts.ts',
    find: "  if (redis.call('HGET', META, name) or '') ~= value then return {'changed'} end\n",
    replace: '',
    caughtBy: ARCHIVED,
  },
  {
    name: 'archive-asked-for-no-log',
    breaks: 'A reader that is between two pages when the log moves takes it for ended.',
    file: 'engine/archive/archiving-event-log.ts',
    find: "if (events.length > 0 || place === 'here') return events;",
    replace: "if (events.length > 0 || place === 'here' || after >= 0) return events;",
    caughtBy: ARCHIVED,
  },
  {
    name: 'erased-and-still-remembered',
    breaks: 'A process that has just read an archived log shows it after its deletion.',
    file: 'engine/archive/archiving-event-log.ts',
    find: '    await this.#noteErased(archived);\n',
    replace: '',
    caughtBy: ARCHIVED,
  },
  {
    name: 'key-forgotten-with-its-log',
    breaks: 'A repeated request starts a second generation once the first is archived.',
    file: 'engine/archive/archive-scripts.ts',
    find: 'math.max(unique and 0 or args.keysMs,',
    replace: 'math.max(0,',
    caughtBy: ARCHIVED,
  },
  {
    name: 'expired-log-still-read',
    breaks: 'The archive shows a log whose retention is over.',
    file: 'engine/archive/log-archive.ts',
    find: 'return log === null || log.stored.expiresAt <= Date.now() ? null : log;',
    replace: 'return log;',
    caughtBy: ARCHIVED,
  },
  {
    name: 'second-log-deleted-with-the-first',
    breaks: 'A log is deleted because an earlier one of its id has expired.',
    file: 'engine/archive/log-archive.ts',
    find: '    if (stored.expiresAt > nowMs) return 0;\n',
    replace: '',
    caughtBy: ARCHIVED,
  },
  {
    name: 'page-of-a-day-that-moved',
    breaks: 'A list of ledger entries ends where a day moved to the archive meanwhile.',
    file: 'engine/budget/entries.ts',
    find: 'return { entries: movedSince, isEnd: movedSince.length === 0 };',
    replace: 'return { entries: [], isEnd: movedSince.length < Number.POSITIVE_INFINITY };',
    caughtBy: LEDGER,
  },
  {
    name: 'late-entry-deleted-with-its-day',
    breaks: 'An entry that is booked while its day moves is lost.',
    file: 'engine/archive/ledger-archive.ts',
    find: "if redis.call('XLEN', KEYS[1]) ~= tonumber(ARGV[1]) or last[1] ~= ARGV[2] then return 0 end\n",
    replace: '',
    caughtBy: LEDGER,
  },
  {
    name: 'other-entry-deleted-with-its-day',
    breaks: 'An entry that took the place of one that a failover lost is removed before it was archived.',
    file: 'engine/archive/ledger-archive.ts',
    find: ' or last[1] ~= ARGV[2] then',
    replace: ' then',
    caughtBy: LEDGER,
  },
  {
    name: 'half-an-object',
    breaks: 'A reader gets half of an object that is being written.',
    file: 'platform/object-store/folder-object-store.ts',
    find: 'const unfinished = join(this.#root, UNFINISHED, randomUUID());',
    replace: 'const unfinished = path;',
    caughtBy: { tests: ['test/platform/object-store/folder-object-store.test.ts'] },
  },
];
