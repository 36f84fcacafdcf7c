/** Bugs of the log, its writer and its readers. */
import type { Mutant } from '../mutant.ts';

const EVENT_LOG = 'test/engine/streaming/event-log.test.ts';
const LOG_WRITER = 'test/engine/streaming/log-writer.test.ts';
const STORED_AND_ERASED = 'test/engine/cache/erased-while-stored.test.ts';
/** Some hundred seeds are enough for every one of these; more would cost time only where one survives. */
const SIMULATION = { simulation: 20_000 };

export const LOG_MUTANTS: readonly Mutant[] = [
  {
    name: 'failure-outranks-a-cancel',
    breaks: 'A generation ends as failed although the API has accepted its cancel.',
    file: 'engine/streaming/log-scripts.ts',
    find: "  if args.mode == 'uncancelled' and cancel then return {'cancel-requested', stored} end\n",
    replace: '',
    caughtBy: { tests: ['test/activities/end-following.test.ts'] },
  },
  {
    name: 'cancel-unknown-until-the-next-append',
    breaks: 'An attempt that resumes after a cancel and finds the whole answer delivers and ends it.',
    file: 'engine/streaming/redis-event-log.ts',
    find: 'if (head.isCancelRequested) onCancelRequest?.();',
    replace: '',
    caughtBy: { tests: ['test/activities/end-following.test.ts'] },
  },
  {
    name: 'backlog-without-its-cursor',
    breaks:
      'A backlog is appended in batches, and only the last has a cursor: a kill delivers the others twice.',
    file: 'engine/streaming/log-writer.ts',
    find: 'const covering = batch.findLast(',
    replace: 'const covering = (this.#pending.length === 0 ? batch : []).findLast(',
    caughtBy: SIMULATION,
  },
  {
    name: 'cursor-ahead-of-its-text',
    breaks: 'The cursor of text that still waits goes with an earlier batch: a kill loses that text.',
    file: 'engine/streaming/log-writer.ts',
    find: 'const covering = batch.findLast(',
    replace: 'const covering = [...batch, ...this.#pending].findLast(',
    // The writer's own assertion stops it in a simulated process, whose next attempt is whole.
    caughtBy: { tests: [LOG_WRITER] },
  },
  {
    name: 'takeover-reads-before-it-fences',
    breaks: 'What the writer before appends between the read and the fence is unknown to its successor.',
    file: 'engine/streaming/redis-event-log.ts',
    find: `      early[0]['opener'] === opener &&
`,
    replace: '',
    caughtBy: SIMULATION,
  },
  {
    name: 'takeover-of-half-a-log',
    breaks: 'In a cluster whose slots move, the events are read before the fence and the head behind it.',
    file: 'engine/streaming/redis-event-log.ts',
    find: `      (early[1].at(-1)?.seq ?? -1) + 1 === Number(early[0]['next']);`,
    replace: '      early[1] !== undefined;',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'write-answered-before-its-replica-has-it',
    breaks: 'A failover loses what was acknowledged, although redis.waitForReplicas is set.',
    file: 'platform/redis/replica-confirmation.ts',
    find: 'if (key !== undefined) await confirmation.ofWritesSoFar(key);',
    replace: 'void key;',
    caughtBy: { tests: ['test/platform/redis/redis-cluster.test.ts'] },
  },
  {
    name: 'append-without-its-epoch',
    breaks: 'A zombie writes into a log that a successor has taken over.',
    file: 'engine/streaming/log-scripts.ts',
    find: `  if tonumber(epoch) ~= args.epoch then return {'fenced', epoch} end
  local isOwn = not opener or opener == args.opener`,
    replace: '  local isOwn = true',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'frame-without-its-epoch',
    breaks: 'A zombie appends a frame to a log that a successor has taken over.',
    file: 'engine/streaming/log-scripts.ts',
    find: 'if held[1] ~= expected or held[2] ~= epoch or held[3] ~= opener or',
    replace: 'if held[1] ~= expected or',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'frame-without-its-cursor',
    breaks: 'The cursor of a frame is not in the log: a kill delivers its text twice.',
    file: 'engine/streaming/log-scripts.ts',
    find: "else redis.call('HSET', META, 'next', after, 'checkpoint', checkpoint) end",
    replace: "else redis.call('HSET', META, 'next', after) end",
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'first-text-waits-for-its-frame',
    breaks: 'The first word of an answer waits for the frame of the thoughts before it.',
    file: 'engine/streaming/log-writer.ts',
    find: `      this.#isUrgent = true;
      this.#leave?.();
`,
    replace: '',
    caughtBy: { tests: [LOG_WRITER] },
  },
  {
    name: 'full-writer-waits-for-its-frame',
    breaks: 'A provider that is faster than the frames is slowed down to them.',
    file: 'engine/streaming/log-writer.ts',
    find: 'if (this.#isUrgent || this.#waiters > 0) return false;',
    replace: 'if (this.#isUrgent) return false;',
    caughtBy: { tests: [LOG_WRITER] },
  },
  {
    name: 'packets-read-as-one',
    breaks: 'Of several packets that arrived since the last read, the reader gets the first.',
    file: 'engine/providers/direct-body.ts',
    find: 'value: others.length === 0 ? first : Buffer.concat([first, ...others])',
    replace: 'value: first',
    caughtBy: { tests: ['test/engine/providers/direct-body.test.ts'] },
  },
  {
    name: 'lost-reply-written-twice',
    breaks: 'An append that is sent again after its reply was lost is appended again.',
    file: 'engine/streaming/log-scripts.ts',
    find: `  if isOwn and next == args.expectedSeq + args.count and stored ~= stepNext then return {'already-appended', stored} end
  if status ~= 'running' then return {'ended', stored} end
  if next ~= args.expectedSeq or not isOwn then return {isOwn and 'conflict' or 'fenced', stored} end`,
    replace: "  if status ~= 'running' then return {'ended', stored} end",
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'append-recognised-by-its-size',
    breaks:
      'A writer takes a step of the same size for its own append: its text is lost, and nobody learns of it.',
    file: 'engine/streaming/log-scripts.ts',
    find: ' and stored ~= stepNext then',
    replace: ' then',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'one-epoch-two-writers',
    breaks: "Two processes that opened the log with one epoch take each other's appends for their own.",
    file: 'engine/streaming/log-scripts.ts',
    find: '  local isOwn = not opener or opener == args.opener\n',
    replace: '  local isOwn = true\n',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'text-after-the-end',
    breaks: 'A writer that is late appends behind the terminal event, and a second one after it.',
    file: 'engine/streaming/log-scripts.ts',
    find: `  if status ~= 'running' then return {'ended', stored} end
  if next ~= args.expectedSeq or`,
    replace: '  if next ~= args.expectedSeq or',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'step-written-twice',
    breaks: 'A step that is repeated after a crash puts its events into the log again.',
    file: 'engine/streaming/log-scripts.ts',
    find: "  if doneAt then return {'already-appended', stored} end\n",
    replace: '',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'late-replay-into-an-opened-log',
    breaks: 'A stored answer is replayed into a log that a stream has begun to write.',
    file: 'engine/streaming/log-scripts.ts',
    find: "  if args.mode == 'unopened' and epoch ~= '0' then return {'opened', stored} end\n",
    replace: '',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'cursor-inclusive',
    breaks: 'A reader that continues after seq N gets N again.',
    file: 'engine/streaming/redis-event-log.ts',
    find: '.filter((event) => event.seq > after)',
    replace: '.filter((event) => event.seq >= after)',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'live-cursor-inclusive',
    breaks: 'A follower that is handed new batches gets the last event that it has again.',
    file: 'engine/streaming/live-logs.ts',
    find: 'return this.#events.slice(cursor + 1 - first.seq);',
    replace: `const isBehind = cursor >= first.seq && cursor + 1 < first.seq + this.#events.length;
    return this.#events.slice(cursor + 1 - first.seq - (isBehind ? 1 : 0));`,
    caughtBy: SIMULATION,
  },
  {
    name: 'cancel-wish-lost',
    breaks: 'The process that streams never hears that its caller has cancelled.',
    file: 'engine/streaming/redis-event-log.ts',
    find: '        if (appended.isCancelRequested) onCancelRequest?.();\n',
    replace: '',
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'erased-text-readable',
    breaks: 'A text that its owner had deleted can still be read.',
    file: 'engine/streaming/log-scripts.ts',
    find: "redis.call('DEL', stream, input, compressed)",
    replace: "redis.call('DEL', input, compressed)",
    caughtBy: { tests: [EVENT_LOG] },
  },
  {
    name: 'viewer-skips-a-gap',
    breaks: 'A batch that pub/sub lost is not noticed: the viewer gets what comes after it.',
    file: 'api/relay/viewer.ts',
    find: 'batch !== null && isRunAfter(this.#cursor, batch)',
    replace: '(batch?.[0]?.seq ?? 0) > this.#cursor',
    caughtBy: { tests: ['test/api/relay/relay-events.test.ts'] },
  },
  {
    name: 'window-of-another-tail',
    breaks: 'A viewer continues in a new tail of the log whose old tail it has.',
    file: 'engine/streaming/live-logs.ts',
    find: '    if (cursorAtMs !== null && atCursor !== undefined && atCursor.at !== cursorAtMs) return null;\n',
    replace: '',
    caughtBy: { tests: ['test/engine/streaming/live-logs.test.ts'] },
  },
  {
    name: 'waiting-viewer-trusts-the-window',
    breaks: 'A viewer that waits for its connection while batches are lost gets what follows them.',
    file: 'api/relay/viewer.ts',
    find: '    if (batch === null) this.#isLossReported = true;\n',
    replace: '',
    caughtBy: { tests: ['test/api/relay/viewer.test.ts'] },
  },
  {
    name: 'client-takes-a-repeat',
    breaks: 'A client gives its caller an event twice when a server repeats it.',
    file: 'clients/typescript/follow-generation.ts',
    find: 'if (first <= this.after) throw',
    replace: 'if (first < 0) throw',
    caughtBy: { tests: ['test/clients/typescript/follow-generation.test.ts', 'test/fuzz/readers.test.ts'] },
  },
  {
    name: 'client-reconnects-from-the-start',
    breaks: 'A client that reconnects reads the answer from its beginning again.',
    file: 'clients/typescript/follow-generation.ts',
    find: '{sequence.after}$',
    replace: '{-1}$',
    caughtBy: { tests: ['test/clients/typescript/follow-generation.test.ts'] },
  },
  {
    name: 'viewer-of-an-erased-log-waits',
    breaks: 'A viewer who was behind when a log was erased waits for its end for ever.',
    file: 'api/relay/viewer.ts',
    find: 'if (isCut || gone !== null) throw gone ?? tailLost(null);',
    replace: 'if (isCut) throw tailLost(null);',
    caughtBy: { tests: ['test/engine/streaming/erase.test.ts'] },
  },
  {
    name: 'shortened-input-after-the-erasure',
    breaks: 'A step that was overtaken stores the text of a log that was erased.',
    file: 'engine/compression/prompt-compression.ts',
    find: "if redis.call('HGET', KEYS[1], 'status') == 'running' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ask.ttlMs) end",
    replace: "redis.call('SET', KEYS[2], ARGV[2], 'PX', ask.ttlMs)",
    caughtBy: { tests: ['test/engine/compression/compression.test.ts'] },
  },
  {
    name: 'answer-stored-though-erased',
    breaks: 'An answer that its owner deleted while it was written is stored for others.',
    file: 'engine/streaming/log-scripts.ts',
    find: "if not status or erased or eraseAtEnd or withheld then return {'withheld'} end",
    replace: "if not status or erased or withheld then return {'withheld'} end",
    caughtBy: { tests: ['test/engine/streaming/erase.test.ts'] },
  },
  {
    name: 'answer-stored-though-withheld',
    breaks: 'An answer is stored for others behind the deletion that has just looked for it there.',
    file: 'engine/streaming/log-scripts.ts',
    find: "if not status or erased or eraseAtEnd or withheld then return {'withheld'} end",
    replace: "if not status or erased or eraseAtEnd then return {'withheld'} end",
    caughtBy: { tests: ['test/engine/streaming/erase.test.ts', STORED_AND_ERASED] },
  },
  {
    name: 'log-erased-before-its-stored-answer',
    breaks:
      'A caller whose deletion lost its response hears that nothing is there, and the answer is still given to others.',
    file: 'api/generations/erase-generation.ts',
    find: `  const stored = mayBeStored ? await deleteStoredAnswers(cachedAnswers, { tenant, generationId }) : 0;
  await log.erase(generationId);
`,
    replace: `  await log.erase(generationId);
  const stored = mayBeStored ? await deleteStoredAnswers(cachedAnswers, { tenant, generationId }) : 0;
`,
    caughtBy: { tests: [STORED_AND_ERASED] },
  },
  {
    name: 'late-text-finds-a-place',
    breaks: 'A text that reaches Qdrant after its deletion is stored in the place of a later attempt.',
    file: 'engine/cache/qdrant-answers.ts',
    find: "must: [{ has_id: [id] }, match('attempt', attempt)]",
    replace: "must: [{ has_id: [id] }, ...(attempt === '' ? [match('attempt', attempt)] : [])]",
    caughtBy: { tests: [STORED_AND_ERASED] },
  },
  {
    name: 'text-before-it-may-be-stored',
    breaks: 'An answer is in Qdrant before its log knows of the copy, so that no deletion looks for it.',
    file: 'engine/cache/semantic-answer-cache.ts',
    find: `    if (!(await mayStore())) {
`,
    replace: `    await answers.fill(place, stored);
    if (!(await mayStore())) {
`,
    caughtBy: { tests: [STORED_AND_ERASED] },
  },
  {
    name: 'erased-error-quotes-the-prompt',
    breaks: 'The error of a deleted generation still quotes its prompt.',
    file: 'engine/streaming/log-scripts.ts',
    find: "if redis.call('HGET', meta, 'status') == 'failed' then redis.call('HDEL', meta, 'view:end') end",
    replace: '',
    caughtBy: { tests: ['test/activities/close-erased.test.ts'] },
  },
  {
    name: 'edge-page-of-a-lost-tail',
    breaks: 'The edge serves pages of a log as it was before Redis lost its tail.',
    file: 'clients/edge/edge-cache.ts',
    find: "tornUntil === undefined ? '' :",
    replace: "tornUntil !== null ? '' :",
    caughtBy: { tests: ['test/clients/edge/relay-cursor.test.ts'] },
  },
  {
    name: 'edge-takes-any-cursor',
    breaks: 'A viewer of a log that lost its tail continues at the edge as if it had not.',
    file: 'clients/edge/relay.ts',
    find: "cursor: lastEventId !== null || after === '' || at === '' ? '' :",
    replace: "cursor: lastEventId !== '-' ? '' :",
    caughtBy: { tests: ['test/clients/edge/relay-cursor.test.ts'] },
  },
  {
    name: 'view-without-usage',
    breaks: 'A list shows a running generation as free.',
    file: 'engine/streaming/log-view.ts',
    find: "if (event.type === 'usage-update' || 'attempts' in event) {",
    replace: "if ('attempts' in event) {",
    caughtBy: { tests: ['test/engine/streaming/log-view.test.ts'] },
  },
  {
    name: 'event-source-returns-for-ever',
    breaks:
      'An EventSource that has read a log to its end reconnects every second for as long as its page is open.',
    file: 'api/relay/check-cursor.ts',
    find: 'return lastEventIdOf(request) !== undefined && hasWholeLog',
    replace: 'return after < -1 && hasWholeLog',
    caughtBy: { tests: ['test/api/routes/stream-events.test.ts'] },
  },
  {
    name: 'reader-with-the-end-waits',
    breaks: 'A reader that comes back with the cursor of the last event waits for ever for another.',
    file: 'api/relay/viewer.ts',
    find: 'if (head !== null && hasWholeLog(head, this.#cursor)) this.stop();',
    replace: '',
    caughtBy: { tests: ['test/api/relay/viewer.test.ts'] },
  },
  {
    name: 'polyfill-reads-again',
    breaks: 'A polyfill of EventSource that reconnects gets every event again from the first.',
    file: 'api/relay/check-cursor.ts',
    find: "request.get('last-event-id') ?? request.query['lastEventId']",
    replace: "request.get('last-event-id')",
    caughtBy: { tests: ['test/api/routes/stream-events.test.ts'] },
  },
];
