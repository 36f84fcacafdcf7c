/** Bugs of the log, its writer and its readers. */
import type { Mutant } from '../mutant.ts';

const EVENT_LOG = 'test/streaming/event-log.test.ts';
/** Some hundred seeds are enough for every one of these; more would cost time only where one survives. */
const SIMULATION = { simulation: 20_000 };

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'backlog-without-its-cursor',
    breaks:
      'A backlog is appended in batches, and only the last has a cursor: a kill delivers the others twice.',
    file: 'streaming/log-writer.ts',
    find: 'const covers = batch.findLast(',
    replace: 'const covers = (pending.length === 0 ? batch : []).findLast(',
    caughtBy: SIMULATION,
  },
  {
    name: 'cursor-ahead-of-its-text',
    breaks: 'The cursor of text that still waits goes with an earlier batch: a kill loses that text.',
    file: 'streaming/log-writer.ts',
    find: 'const covers = batch.findLast(',
    replace: 'const covers = [...batch, ...pending].findLast(',
    caughtBy: SIMULATION,
  },
  {
    name: 'takeover-reads-before-it-fences',
    breaks: 'What the writer before appends between the read and the fence is unknown to its successor.',
    file: 'streaming/redis-event-log.ts',
    find: `      Promise.all([
        redis.evalSha(OPEN.sha, call).then((reply) => replySchema.parse(reply)),
        head(generationId),
        read(generationId, -1),
      ]);`,
    replace: `      Promise.all([
        head(generationId),
        read(generationId, -1),
        redis.evalSha(OPEN.sha, call).then((reply) => replySchema.parse(reply)),
      ]).then(([stored, events, reply]) => [reply, stored, events] as const);`,
    caughtBy: SIMULATION,
  },
  {
    name: 'takeover-by-a-script-that-redis-does-not-know',
    breaks: 'Only the script is sent again, so the log was read before the writer before was fenced.',
    file: 'streaming/redis-event-log.ts',
    find: 'redis.evalSha(OPEN.sha, call).then((reply)',
    replace: 'runScript(redis, OPEN, call.keys, call.arguments).then((reply)',
    caughtBy: SIMULATION,
  },
  {
    name: 'append-without-its-epoch',
    breaks: 'A zombie writes into a log that a successor has taken over.',
    file: 'streaming/log-scripts.ts',
    find: `  if tonumber(meta[2]) ~= tonumber(ARGV[2]) then return {'fenced', meta[2]} end
  local isOwn = not meta[8] or meta[8] == ARGV[9]`,
    replace: '  local isOwn = true',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'lost-reply-written-twice',
    breaks: 'An append that is sent again after its reply was lost is appended again.',
    file: 'streaming/log-scripts.ts',
    find: `  if isOwn and next == expected + count then return {'already-appended', meta[1]} end
  if meta[3] ~= 'running' then return {'ended', meta[1]} end
  if next ~= expected or not isOwn then return {isOwn and 'conflict' or 'fenced', meta[1]} end`,
    replace: "  if meta[3] ~= 'running' then return {'ended', meta[1]} end",
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'one-epoch-two-writers',
    breaks: "Two processes that opened the log with one epoch take each other's appends for their own.",
    file: 'streaming/log-scripts.ts',
    find: '  local isOwn = not meta[8] or meta[8] == ARGV[9]\n',
    replace: '  local isOwn = true\n',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'text-after-the-end',
    breaks: 'A writer that is late appends behind the terminal event, and a second one after it.',
    file: 'streaming/log-scripts.ts',
    find: `  if meta[3] ~= 'running' then return {'ended', meta[1]} end
  if next ~= expected`,
    replace: '  if next ~= expected',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'step-written-twice',
    breaks: 'A step that is repeated after a crash puts its events into the log again.',
    file: 'streaming/log-scripts.ts',
    find: "  if meta[4] then return {'already-appended', meta[1]} end\n",
    replace: '',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'late-replay-into-an-opened-log',
    breaks: 'A stored answer is replayed into a log that a stream has begun to write.',
    file: 'streaming/log-scripts.ts',
    find: "  if ARGV[1] == 'unopened' and meta[2] ~= '0' then return {'opened', meta[1]} end\n",
    replace: '',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'cursor-inclusive',
    breaks: 'A reader who goes on after seq N gets N again.',
    file: 'streaming/redis-event-log.ts',
    find: '.filter((event) => event.seq > after)',
    replace: '.filter((event) => event.seq >= after)',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'live-cursor-inclusive',
    breaks: 'A follower that is handed new batches gets the last event that it has again.',
    file: 'streaming/live-logs.ts',
    find: 'return shared.events.slice(cursor + 1 - first.seq);',
    replace: `const isBehind = cursor >= first.seq && cursor + 1 < first.seq + shared.events.length;
  return shared.events.slice(cursor + 1 - first.seq - (isBehind ? 1 : 0));`,
    caughtBy: SIMULATION,
  },
  {
    name: 'cancel-wish-lost',
    breaks: 'The process that streams never hears that its caller has cancelled.',
    file: 'streaming/redis-event-log.ts',
    find: "        if (wish === '1') onCancelWish?.();\n",
    replace: '',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'erased-text-readable',
    breaks: 'A text that its owner had deleted can still be read.',
    file: 'streaming/log-scripts.ts',
    find: "redis.call('DEL', stream, input, compressed)",
    replace: "redis.call('DEL', input, compressed)",
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'viewer-skips-a-gap',
    breaks: 'A batch that pub/sub lost is not noticed: the viewer gets what comes after it.',
    file: 'api/relay-events.ts',
    find: 'batch[0]?.seq === cursor + 1',
    replace: '(batch[0]?.seq ?? 0) > cursor',
    caughtBy: { tests: ['test/api/relay-events.test.ts'] },
  },
  {
    name: 'client-takes-a-repeat',
    breaks: 'A client gives its caller an event twice when a server repeats it.',
    file: 'client/follow-generation.ts',
    find: 'if (first <= this.after) throw',
    replace: 'if (first < 0) throw',
    caughtBy: { tests: ['test/client/follow-generation.test.ts', 'test/fuzz/readers.test.ts'] },
  },
  {
    name: 'client-reconnects-from-the-start',
    breaks: 'A client that reconnects reads the answer from its beginning again.',
    file: 'client/follow-generation.ts',
    find: '{sequence.after}$',
    replace: '{-1}$',
    caughtBy: { tests: ['test/client/follow-generation.test.ts'] },
  },
];
