/** Nothing of a user may be kept where no erasure looks. */
import { describe, expect, test } from '@jest/globals';
import { erasedKinds } from '../../contracts/erasure.ts';
import { OBJECT_FOLDERS, REDIS_KEYS } from '../../contracts/names.ts';
import { COLLECTION_PREFIX } from '../../engine/cache/qdrant-answers.ts';
import {
  STORED_AS_OBJECTS,
  STORED_IN_QDRANT,
  STORED_IN_REDIS,
  STORED_IN_TEMPORAL,
  type StorageRule,
} from '../../engine/erasure/stored-data.ts';
import { projectFiles, readProjectFile } from './project-files.ts';

const SHELVES = /^(?:activities|api|engine|worker|workflows)\//;

/** Who writes into the object store, by which all its folders are known. */
const OBJECT_WRITERS = [
  // Passes on what engine/files writes.
  'api/batches/answering-store.ts',
  'engine/archive/ledger-archive.ts',
  'engine/archive/log-archive.ts',
  'engine/batches/batch-objects.ts',
  'engine/batches/handover-objects.ts',
  'engine/files/redis-file-store.ts',
];
/** Who speaks with Qdrant, by which all its collections are known. */
const QDRANT_FILES = [
  'engine/cache/connect-qdrant.ts',
  'engine/cache/qdrant-answers.ts',
  'engine/cache/qdrant-deletion.ts',
  'engine/cache/qdrant-entries.ts',
  'engine/cache/qdrant-erasure.ts',
];

/** The workflows of a module: what it exports by name. */
function workflowsIn(source: string): string[] {
  const exported = [...source.matchAll(/^export (?:async function (\w+)|\{ (\w+) \} from)/gm)];
  return exported.map(([, own, other]) => own ?? other ?? '');
}

/** The files whose source fits. */
function filesWith(pattern: RegExp, files: readonly (readonly [string, string])[]): string[] {
  return files.filter(([, source]) => pattern.test(source)).map(([path]) => path);
}

const WRITES_OBJECTS = /\b(?:store|objects|objectStore)\.(?:put|upload)\(/i;
const SPEAKS_WITH_QDRANT = /from '(?:@qdrant|.*\/connect-qdrant\.ts)/;

const files = projectFiles('.ts')
  .filter((path) => SHELVES.test(path))
  .map((path) => [path, readProjectFile(path)] as const);

describe('there is a rule for', () => {
  test('every family of keys in Redis', () => {
    expect(Object.keys(STORED_IN_REDIS).sort()).toEqual(Object.keys(REDIS_KEYS).sort());
  });

  test('every folder of the object store, and nothing else writes there', () => {
    expect(Object.keys(STORED_AS_OBJECTS).sort()).toEqual(Object.keys(OBJECT_FOLDERS).sort());
    expect(filesWith(WRITES_OBJECTS, files)).toEqual(OBJECT_WRITERS);
  });

  test('every workflow', () => {
    const workflows = workflowsIn(readProjectFile('workflows/generation.ts'));
    expect(workflows.length).toBeGreaterThan(4);
    expect(Object.keys(STORED_IN_TEMPORAL).sort()).toEqual(workflows.sort());
  });

  test('every collection of Qdrant', () => {
    expect(filesWith(SPEAKS_WITH_QDRANT, files)).toEqual(QDRANT_FILES);
    expect(Object.keys(STORED_IN_QDRANT)).toEqual([COLLECTION_PREFIX]);
  });

  test('every kind that a receipt counts, and docs/erasure.md describes each', () => {
    const rules: StorageRule[] = [
      STORED_IN_REDIS,
      STORED_AS_OBJECTS,
      STORED_IN_TEMPORAL,
      STORED_IN_QDRANT,
    ].flatMap((table) => Object.values<StorageRule>(table));
    const erased = new Set(rules.flatMap((rule) => ('erased' in rule ? [rule.erased] : [])));
    expect([...erased].sort()).toEqual([...erasedKinds].sort());
    const page = readProjectFile('docs/erasure.md');
    expect(erasedKinds.filter((kind) => !page.includes(`| \`${kind}\` `))).toEqual([]);
  });
});

describe('the checks can fail', () => {
  test('on a workflow, a writer of objects and a client of Qdrant without a rule', () => {
    expect(workflowsIn("export { batch } from './batch.ts';\nexport async function other() {}")).toEqual([
      'batch',
      'other',
    ]);
    const made = [
      ['engine/files/files.ts', 'await this.#store.put(key, bytes);'],
      ['engine/other.ts', "import { QdrantClient } from '@qdrant/js-client-rest';"],
    ] as const;
    expect(filesWith(WRITES_OBJECTS, made)).toEqual(['engine/files/files.ts']);
    expect(filesWith(SPEAKS_WITH_QDRANT, made)).toEqual(['engine/other.ts']);
  });
});
