/** Bugs of conversations that are compacted or shortened. */
import type { Mutant } from '../mutant.ts';

const PURE = 'test/engine/compaction/plan-compaction.test.ts';
const SEALS = 'test/engine/compaction/compaction-seals.test.ts';
const CLIENT = 'test/e2e/wires/compaction.test.ts';

export const COMPACTION_MUTANTS: readonly Mutant[] = [
  {
    name: 'truncation-parts-a-pair',
    breaks: 'The result of a tool reaches a vendor without its call.',
    file: 'engine/compaction/fit-window.ts',
    find: 'if (total > room || splits[omitted] === true) continue;',
    replace: 'if (total > room) continue;',
    caughtBy: { tests: [PURE] },
  },
  {
    name: 'summary-parts-a-pair',
    breaks: 'The call of a result that is sent word for word is only in the summary.',
    file: 'engine/compaction/plan-compaction.ts',
    find: 'return withWholePairs(messages, start);',
    replace: 'return start;',
    caughtBy: { tests: [PURE] },
  },
  {
    name: 'seals-of-all-tenants-alike',
    breaks: 'A tenant reads the conversation of another one.',
    file: 'engine/reasoning/tenant-cipher.ts',
    find: 'const info = [this.#kind.purpose, tenant]',
    replace: 'const info = [this.#kind.purpose]',
    caughtBy: { tests: [SEALS] },
  },
  {
    name: 'compaction-without-its-instructions',
    breaks: 'What a developer has said is gone once the conversation is compacted.',
    file: 'engine/compaction/sent-context.ts',
    find: '.filter(isInstruction);',
    replace: '.filter(() => false);',
    caughtBy: { tests: [SEALS] },
  },
  {
    name: 'compaction-withdrawn-with-the-text',
    breaks: 'A response whose answer was restarted has no compaction, and its next turn no conversation.',
    file: 'api/wires/openai-responses/project.ts',
    find: "this.#items = this.#items.filter(({ kind }) => kind === 'compaction');",
    replace: 'this.#items = [];',
    caughtBy: { tests: ['test/api/wires/projections.test.ts'] },
  },
  {
    name: 'summary-outlives-its-response',
    breaks: 'A deleted conversation can still be read as the summary that was made of it.',
    file: 'api/generations/erase-generation.ts',
    find: '  await log.erase(compactionIdOf(generationId));\n',
    replace: '',
    caughtBy: { tests: [CLIENT] },
  },
  {
    name: 'failed-summary-fails-the-answer',
    breaks: 'A model that refuses to summarise costs the caller the answer.',
    file: 'workflows/compact-first.ts',
    find: 'if (isSummary(outcome)) await noteCompaction(order);',
    replace: "if (!isSummary(outcome)) throw new Error('no summary');",
    caughtBy: { tests: ['test/workflows/generation.test.ts'] },
  },
  {
    name: 'trigger-shows-the-summary',
    breaks:
      'A session that Codex compacts with a trigger has the summary as an answer, and no item to continue from.',
    file: 'api/wires/openai-responses/compaction-trigger.ts',
    find: "      ...this.#projection.push({ type: 'compaction', generationId, sealed, seq, at }),\n",
    replace: '',
    caughtBy: { tests: ['test/api/wires/compaction-trigger.test.ts'] },
  },
  {
    name: 'summary-never-ends',
    breaks:
      'A generation is cancelled at once, and the one that should summarise for it runs for ever in lists.',
    file: 'workflows/compact-first.ts',
    find: "    if (patched('summary-ends')) await endChild(compaction);",
    replace: '',
    caughtBy: { tests: ['test/workflows/generation.test.ts'] },
  },
];
