/** Bugs of batches and files. */
import type { Mutant } from '../mutant.ts';

const FLOW = 'test/workflows/batch.test.ts';
const STORE = 'test/engine/batches/redis-batch-store.test.ts';
const OBJECTS = 'test/engine/batches/batch-objects.test.ts';
const EMBED = 'test/activities/batches/embed-line.test.ts';
const LATE = 'test/activities/batches/late-shard.test.ts';
const CHECKS = 'test/engine/batches/check-lines.test.ts';
const SHARDS = 'test/activities/batches/record-shard.test.ts';
const FILES = 'test/engine/files/redis-file-store.test.ts';
const IDS = 'test/api/batches/batch-id.test.ts';
const BODIES = 'test/api/wires/split-requests.test.ts';

export const BATCH_MUTANTS: readonly Mutant[] = [
  {
    name: 'batch-of-a-used-key-never-begins',
    breaks: 'With the key of a batch that was deleted, a batch is created that no run will ever end.',
    file: 'api/generations/ask-temporal.ts',
    find: 'if (createdAt === undefined || !isOfEarlierLog({ closeTime }, { createdAt })) return;',
    replace: 'if (createdAt !== undefined || closeTime !== undefined) return;',
    caughtBy: { tests: ['test/e2e/batches.test.ts'] },
  },
  {
    name: 'batch-key-is-cut',
    breaks: 'Two long keys that differ at their end name the same batch, and the second one is never sent.',
    file: 'api/batches/start-batch.ts',
    find: 'generationIdFor(caller, idempotencyKey, prefix)',
    replace: 'generationIdFor(caller, idempotencyKey?.slice(0, 249), prefix)',
    caughtBy: { tests: [IDS] },
  },
  {
    name: 'batch-begins-again-after-continue-as-new',
    breaks: 'A batch that continues as a new run begins a shard a second time.',
    file: 'workflows/batch.ts',
    find: 'return { lines, shardLines, nextShard, ...',
    replace: 'return { lines, shardLines, nextShard: nextShard - 1, ...',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'batch-cancelled-begins-further-lines',
    breaks: 'A cancelled batch sends further lines, which its user pays.',
    file: 'workflows/batch-shard.ts',
    find: 'while (this.#stop === null) {',
    replace: 'for (;;) {',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'batch-cancelled-loses-its-results',
    breaks: 'A cancelled batch does not record what its lines have become.',
    file: 'workflows/batch-shard.ts',
    find: 'await recordShard({',
    replace: 'if (this.#stop === null) await recordShard({',
    caughtBy: { tests: [FLOW] },
  },
  {
    name: 'batch-shard-counted-twice',
    breaks: 'A shard that is noted again after a crash is counted twice.',
    file: 'engine/batches/redis-batch-store.ts',
    find: "if redis.call('HSETNX', KEYS[2], ask.shard, 1) == 1 then",
    replace: "if redis.call('HSETNX', KEYS[2], ask.shard, 1) >= 0 then",
    caughtBy: { tests: [STORE] },
  },
  {
    name: 'batch-refusals-read-after-the-note',
    breaks: 'An attempt that another has overtaken writes an internal error in place of each refusal.',
    file: 'activities/batches/record-shard.ts',
    find: `  const [spec, refused, kept] = await Promise.all([
    batches.spec(shard.batchId),
    batches.refused(shard),
    batches.keptAnswers(shard),
  ]);
  // Read after them: they are deleted with the note, so an attempt that another has overtaken would find none of them.
  if ((await batches.notedShards(shard.batchId)).has(shard.shard)) return;
`,
    replace: `  if ((await batches.notedShards(shard.batchId)).has(shard.shard)) return;
  const [spec, refused, kept] = await Promise.all([
    batches.spec(shard.batchId),
    batches.refused(shard),
    batches.keptAnswers(shard),
  ]);
`,
    caughtBy: { tests: [SHARDS] },
  },
  {
    name: 'batch-status-goes-back',
    breaks: 'A late step moves a batch that is being cancelled back to in progress.',
    file: 'engine/batches/redis-batch-store.ts',
    find: 'if not isFrom then return {status} end',
    replace: '',
    caughtBy: { tests: [STORE] },
  },
  {
    name: 'batch-late-worker-leaves-results',
    breaks:
      'A worker that was cut off writes the results of a shard when its batch is over, and they stay for ever.',
    file: 'activities/batches/record-shard.ts',
    find: 'if (head === null || isFinal(head.status)) await batchObjects.deleteResults(shard);',
    replace: '',
    caughtBy: { tests: [LATE] },
  },
  {
    name: 'batch-embeddings-booked-again',
    breaks:
      'A line that calls for embeddings is booked again when its worker dies before the answer is kept.',
    file: 'api/batches/line-formats.ts',
    find: '{hashOf(spec, line.customId)}`;',
    replace: '{crypto.randomUUID()}`;',
    caughtBy: { tests: [EMBED] },
  },
  {
    name: 'batch-embeddings-never-booked',
    breaks: 'A line whose worker dies between its answer and its booking is free.',
    file: 'activities/batches/prepare-line.ts',
    find: 'await lineFormats.book(spec, answer);',
    replace: 'if (kept === null) await lineFormats.book(spec, answer);',
    caughtBy: { tests: [EMBED] },
  },
  {
    name: 'batch-of-another-loses-its-file',
    breaks: 'The owner of a file deletes it while a batch of another user reads it.',
    file: 'engine/batches/redis-batch-store.ts',
    find: 'return [openKey(owner), readersKey(owner.tenant, inputFileId)];',
    replace: 'return [openKey(owner)];',
    caughtBy: { tests: [STORE] },
  },
  {
    name: 'batch-loses-a-file-that-expires',
    breaks: 'A file that expires is deleted while a batch still reads its lines.',
    file: 'engine/files/redis-file-store.ts',
    find: 'else if (await this.#isRead(name)) await this.#deleteAt(name, Date.now() + LOOK_AGAIN_MS);',
    replace: '',
    caughtBy: { tests: [FILES] },
  },
  {
    name: 'batch-results-in-both-files',
    breaks: 'A line that failed is in the output file, too.',
    file: 'engine/batches/batch-objects.ts',
    find: 'if (isOfFile) yield',
    replace: 'if (isOfFile || true) yield',
    caughtBy: { tests: [OBJECTS] },
  },
  {
    name: 'batch-custom-id-twice',
    breaks: 'Two lines with one custom_id are one generation, and one of them has the answer of the other.',
    file: 'engine/batches/check-lines.ts',
    find: '    this.#ids.add(mark);',
    replace: '',
    caughtBy: { tests: [CHECKS] },
  },
  {
    name: 'batch-line-begins-elsewhere',
    breaks: 'A line behind a blank one is read from another place.',
    file: 'engine/batches/split-lines.ts',
    find: 'this.#from += this.#bytes + newlineBytes;',
    replace: 'this.#from += this.#bytes === 0 ? 0 : this.#bytes + newlineBytes;',
    caughtBy: { tests: [CHECKS] },
  },
  {
    name: 'files-exceed-their-limit',
    breaks: 'A tenant fills the object store that all tenants share.',
    file: 'engine/files/redis-file-store.ts',
    find: "if ask.limit and total > ask.limit then return {'full'} end",
    replace: '',
    caughtBy: { tests: [FILES] },
  },
  {
    name: 'files-removed-before-their-time',
    breaks: 'A file whose deletion was moved to a later time is deleted at the earlier one.',
    file: 'engine/files/redis-file-store.ts',
    find: 'if (file !== null && file.expiresAt > Date.now()) await',
    replace: 'if (file !== null && file.expiresAt < 0) await',
    caughtBy: { tests: [FILES] },
  },
  {
    name: 'message-batch-cut-inside-a-text',
    breaks: 'A comma in the text of a request cuts it in two.',
    file: 'api/wires/anthropic-batches/split-requests.ts',
    find: 'byte === COMMA && !this.#isInString);',
    replace: 'byte === COMMA);',
    caughtBy: { tests: [BODIES] },
  },
  {
    name: 'batch-that-stands-still-keeps-its-estimate',
    breaks: 'A batch that makes no progress is always about to end.',
    file: 'api/batches/batch-pace.ts',
    find: 'Math.max(countedAt, nowMs - nextCountMs)',
    replace: 'Math.max(countedAt, 0 * nextCountMs)',
    caughtBy: { tests: ['test/api/batches/batch-pace.test.ts'] },
  },
  {
    name: 'batch-submitted-again-after-ctrl-c',
    breaks: 'A command that was interrupted and repeated sends, and pays, every line twice.',
    file: 'bin/commands/batch-submission.ts',
    find: 'if (known !== null) return { batch: known, isResumed: true };',
    replace: '',
    caughtBy: { tests: ['test/e2e/batches.test.ts'] },
  },
  {
    name: 'page-asks-for-batches-that-have-ended',
    breaks: 'A page that shows an ended batch asks for it for ever.',
    file: 'clients/web/src/views/batches/batch-page.tsx',
    find: 'isFinal(batch.status) ? HOUR_MS : pollEvery([batch])',
    replace: 'pollEvery([batch])',
    caughtBy: { tests: ['test/e2e/page-books.test.ts'] },
  },
  {
    name: 'batch-line-parsed-whatever-it-costs',
    breaks: 'A line of thirty megabytes of brackets stops a worker for seconds, with all that runs there.',
    file: 'engine/batches/check-lines.ts',
    find: "this.#isCheap(bytes) ? objectIn(bytes) : 'costly'",
    replace: 'objectIn(bytes)',
    caughtBy: { tests: ['test/engine/batches/check-lines.test.ts'] },
  },
  {
    name: 'batch-result-cut-at-a-separator',
    breaks: 'Readers in Python and Node cut a line of results in the middle of a text.',
    file: 'api/batches/line-formats.ts',
    find: '/[\\u0085\\u2028\\u2029]/g',
    replace: '/[\\u2029]/g',
    caughtBy: { tests: ['test/api/batches/line-formats.test.ts'] },
  },
  {
    name: 'batch-waits-for-a-line-without-a-run',
    breaks: 'A batch that is cancelled just after a worker died never ends.',
    file: 'activities/batches/record-shard.ts',
    find: 'await lineFormats.endStranded(spec, line);\n      throw stillRuns(line);',
    replace: 'throw stillRuns(line);',
    caughtBy: { tests: ['test/e2e/stranded.test.ts'] },
  },
  {
    name: 'refused-line-leaves-its-generation',
    breaks: 'A line that is refused when its worker has died leaves a generation that never ends.',
    file: 'activities/batches/record-shard.ts',
    find: 'await lineFormats.endStranded(spec, line);\n      return free',
    replace: 'return free',
    caughtBy: { tests: ['test/e2e/stranded.test.ts'] },
  },
  {
    name: 'batch-runs-after-its-end',
    breaks: 'A batch that was cancelled before it had a run calls all of its lines once that run is started.',
    file: 'activities/batches/check-batch.ts',
    find: '      if (isFinal(status)) return null;',
    replace: '      void status;',
    caughtBy: { tests: ['test/e2e/stranded.test.ts'] },
  },
];
