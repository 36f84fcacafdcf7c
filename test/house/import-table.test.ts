import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import {
  FOLDER_TABLES,
  FREE_FOLDERS,
  IMPORT_TABLE,
  importsOf,
  packageOf,
  violationsOf,
} from './import-table.ts';
import { projectFiles, readJson, readProjectFile } from './project-files.ts';

const sources = projectFiles('.ts', '.tsx').map((path) => ({ path, source: readProjectFile(path) }));

const foldersIn = (cell: string | undefined) =>
  [...(cell ?? '').matchAll(/`([a-z-]+)`/g)].map(([, name]) => name).sort();
const asRows = (table: typeof IMPORT_TABLE) =>
  Object.entries(table).map(([folder, { values, types }]) => [
    folder,
    [...values].filter((name) => name !== '').sort(),
    [...types].sort(),
  ]);

describe('the import table', () => {
  test('is kept by every file', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(({ path, source }) => violationsOf(path, source))).toEqual([]);
  });

  test('is the one that ARCHITECTURE.md shows', () => {
    const rows = readProjectFile('ARCHITECTURE.md').matchAll(/^\| `([a-z]+)\/` *\|([^|]*)\|([^|]*)\|/gm);
    const shown = [...rows].map(([, folder, values, types]) => [folder, foldersIn(values), foldersIn(types)]);
    expect(shown).toEqual(asRows(IMPORT_TABLE));
  });

  test('is the one that ARCHITECTURE.md shows of the folders inside a shelf', () => {
    const rows = readProjectFile('ARCHITECTURE.md').matchAll(
      /^\| `([a-z]+)\/([a-z-]+)\/` *\|([^|]*)\|([^|]*)\|/gm,
    );
    const shown = [...rows].map(([, shelf, folder, values, types]) => [
      `${shelf}/${folder}`,
      foldersIn(values),
      foldersIn(types),
    ]);
    const enforced = Object.entries(FOLDER_TABLES).flatMap(([shelf, folders]) =>
      asRows(folders)
        .filter(([folder]) => folder !== '')
        .map(([folder, values, types]) => [`${shelf}/${folder}`, values, types]),
    );
    expect(shown).toEqual(enforced);
  });

  test.each([
    [
      'a value from a folder that is not listed',
      'clients/typescript/a.ts',
      `import { a } from '../../api/a.ts';`,
    ],
    [
      'a type from a folder that is not listed',
      'clients/typescript/a.ts',
      `import type { A } from '../../api/a.ts';`,
    ],
    ['a value where only types may be', 'workflows/a.ts', `import { a } from '../activities/a.ts';`],
    ['an inline type, which still loads', 'workflows/a.ts', `import { type A } from '../activities/a.ts';`],
    ['a mixed import', 'activities/a.ts', `import { type A, b } from '../engine/cache/a.ts';`],
    ['an import for its effect', 'activities/a.ts', `import '../engine/cache/a.ts';`],
    ['a default import', 'activities/a.ts', `import a from '../engine/budget/a.ts';`],
    ['a namespace import', 'activities/a.ts', `import * as a from '../engine/streaming/a.ts';`],
    ['a re-export', 'contracts/a.ts', `export { a } from '../platform/config/a.ts';`],
    ['a re-export of all', 'contracts/a.ts', `export * from '../platform/config/a.ts';`],
    ['a dynamic import', 'platform/config/a.ts', `const a = await import('../../api/a.ts');`],
    ['a computed import in a workflow', 'workflows/a.ts', 'const a = await import(name);'],
    ['a type in import()', 'engine/providers/a.ts', `type A = import('../../api/a.ts').A;`],
    ['a value of the api in the worker', 'worker/a.ts', `import { a } from '../api/a.ts';`],
    ['a provider in the api', 'api/a.ts', `import { a } from '../engine/providers/a.ts';`],
    ['a path with detours', 'api/routes/a.ts', `import { a } from '../../api/../engine/providers/a.ts';`],
    ['a test in production code', 'engine/streaming/a.ts', `import { a } from '../../test/harness/a.ts';`],
    ['a program in production code', 'platform/redis/a.ts', `import { a } from '../../bin/a.ts';`],
    ['Node in a workflow', 'workflows/a.ts', `import { randomUUID } from 'node:crypto';`],
    ['Node by its old name in a workflow', 'workflows/a.ts', `import { join } from 'path';`],
    ['a package in a workflow', 'workflows/a.ts', `import { z } from 'zod';`],
    ['Node in the contracts', 'contracts/a.ts', `import { join } from 'node:path';`],
    ['Node in the client', 'clients/typescript/a.ts', `import { join } from 'node:path';`],
    ['Node at the edge', 'clients/edge/a.ts', `import { join } from 'node:path';`],
    ['the api in the page', 'clients/web/src/a.tsx', `import { a } from '../../../api/a.ts';`],
    ['a folder that the table does not know', 'utils/a.ts', 'export const a = 1;'],
    ['a room that the table does not know', 'engine/misc/a.ts', 'export const a = 1;'],
    ['a neighbour that is not listed', 'engine/budget/a.ts', `import type { A } from '../cache/a.ts';`],
    [
      'a value of a neighbour that gives types',
      'engine/handoff/a.ts',
      `import { a } from '../streaming/a.ts';`,
    ],
    ['a tool in production code', 'worker/a.ts', `import { a } from '../tools/simulator/a.ts';`],
  ])('refuses %s', (_name, path, source) => {
    expect(violationsOf(path, source)).toHaveLength(1);
  });

  test.each([
    ['workflows/a.ts', `import type { A } from '../activities/a.ts';`],
    ['workflows/a.ts', `import { proxyActivities } from '@temporalio/workflow';`],
    ['workflows/a.ts', `import { a } from '../contracts/a.ts'; import { b } from './b.ts';`],
    ['activities/a.ts', `import type { A } from '../engine/streaming/a.ts';`],
    ['worker/a.ts', `import { a } from '../activities/a.ts';`],
    ['engine/cache/a.ts', `import type { A } from '../embedding/a.ts';`],
    ['clients/web/src/a.ts', `import { a } from '../../typescript/a.ts';`],
    ['clients/typescript/build.ts', `import { join } from 'node:path';`],
    ['test/a.test.ts', `import { a } from '../api/a.ts';`],
  ])('allows what the table lists: %s %s', (path, source) => {
    expect(violationsOf(path, source)).toEqual([]);
  });
});

describe('packages', () => {
  const packages = z.record(z.string(), z.string());
  const manifest = z
    .object({ dependencies: packages, optionalDependencies: packages, devDependencies: packages })
    .parse(readJson('package.json'));
  const { devDependencies } = manifest;
  const dependencies = { ...manifest.dependencies, ...manifest.optionalDependencies };
  const importedBy = (isWanted: (path: string) => boolean) =>
    new Set(
      sources
        // It loads by name what only its users install.
        .filter(({ path }) => path !== 'platform/optional-package.ts')
        .filter(({ path }) => isWanted(path))
        .flatMap(({ path, source }) => importsOf(path, source).map(packageOf))
        .filter((name) => name !== null),
    );
  // Benchmarks and tests are not installed for production; the page, the edge and the documentation are built before,
  // as the packages are.
  // The hook runs in the React of its users.
  const notInstalled = [
    'tools/bench/',
    'tools/docs/',
    'tools/package/',
    'tools/screenshots/',
    'examples/',
    'test/',
    'clients/web/',
    'clients/edge/',
    'clients/typescript/build.ts',
    'clients/typescript/use-generation.ts',
  ];
  const production = importedBy((path) => !notInstalled.some((folder) => path.startsWith(folder)));

  test('what runs in production is a dependency', () => {
    const typesOnly = (name: string) => `@types/${name}` in devDependencies && name in dependencies;
    expect([...production].filter((name) => !(name in dependencies) && !typesOnly(name))).toEqual([]);
  });

  test('every dependency is imported', () => {
    expect(Object.keys(dependencies).filter((name) => !production.has(name))).toEqual([]);
  });

  test('every package has its exact version, and ARCHITECTURE.md says why it is here', () => {
    const all = { ...dependencies, ...devDependencies };
    expect(
      Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+(?:-alpha\.\d+)?$/.test(version)),
    ).toEqual([]);
    const text = readProjectFile('ARCHITECTURE.md');
    expect(Object.keys(all).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test('free folders are real folders', () => {
    const folders = new Set(sources.map(({ path }) => path.split('/')[0]));
    expect([...FREE_FOLDERS].filter((folder) => !folders.has(folder))).toEqual([]);
  });
});
