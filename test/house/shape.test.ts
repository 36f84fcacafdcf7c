import { describe, expect, test } from '@jest/globals';
import { projectFiles, readProjectFile } from './project-files.ts';
import {
  bareBooleans,
  importCycles,
  literalSpreads,
  longFunctions,
  MAX_FUNCTION_LINES,
  MAX_PARAMETERS,
  manyParameters,
  unusedExports,
} from './shape.ts';

type Check = (path: string, source: string) => string[];

const sources = projectFiles('.ts', '.tsx')
  .filter((path) => !path.endsWith('.d.ts'))
  .map((path) => ({ path, source: readProjectFile(path) }));
const inAll = (check: Check) => sources.flatMap(({ path, source }) => check(path, source));

/** What users of the package, Temporal's bundler or a platform loads by its path. */
const ENTRY_POINTS = [
  'clients/typescript/index.ts',
  'clients/typescript/use-generation.ts',
  'workflows/generation.ts',
  'clients/edge/cloudflare/worker.ts',
  'clients/edge/vercel/api/relay.ts',
  'platform/encryption/failure-converter.ts',
  'tools/docs/site-config.ts',
  'test/harness/current-globals.ts',
];

describe('every source file', () => {
  test(`has functions of at most ${MAX_FUNCTION_LINES} lines`, () => {
    expect(inAll(longFunctions)).toEqual([]);
  });

  test(`has functions of at most ${MAX_PARAMETERS} positional parameters`, () => {
    expect(inAll(manyParameters)).toEqual([]);
  });

  test('names the booleans that it passes', () => {
    const product = sources.filter(({ path }) => !path.endsWith('.test.ts'));
    expect(product.flatMap(({ path, source }) => bareBooleans(path, source))).toEqual([]);
  });

  test('spreads no literal', () => {
    expect(inAll(literalSpreads)).toEqual([]);
  });

  test('imports no file that imports it', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  test('exports only what another file imports', () => {
    expect(ENTRY_POINTS.filter((path) => !sources.some((file) => file.path === path))).toEqual([]);
    // Next.js finds its exports by the names of their files.
    const own = sources.filter(({ path }) => !path.startsWith('examples/nextjs/'));
    expect(unusedExports(own, ENTRY_POINTS)).toEqual([]);
  });
});

describe('the checks can fail', () => {
  const long = `function f() {\n${'  a();\n'.repeat(MAX_FUNCTION_LINES)}}\n`;
  test.each<[string, Check, string]>([
    ['a long function', longFunctions, long],
    ['a long method', longFunctions, `class A {\n  ${long.replace('function ', '')}}\n`],
    [
      'a long arrow function',
      longFunctions,
      `const f = () => {\n${'  a();\n'.repeat(MAX_FUNCTION_LINES)}};\n`,
    ],
    ['five parameters', manyParameters, 'function f(a: 1, b: 1, c: 1, d: 1, e: 1) {}'],
    [
      'a constructor with five parameters',
      manyParameters,
      'class A { constructor(a: 1, b: 1, c: 1, d: 1, e: 1) {} }',
    ],
    ['a boolean without a name', bareBooleans, 'a.find(id, true);'],
    ['the spread of an object literal', literalSpreads, 'const a = { ...{ b, c } };'],
    ['the spread of an array literal', literalSpreads, 'const a = [...[b, c]];'],
    ['the spread of a constant list', literalSpreads, 'const a = [...([b, c] as const)];'],
  ])('on %s', (_name, check, source) => {
    expect(check('api/a.ts', source)).toHaveLength(1);
  });

  test('not on a boolean that is a value', () => {
    expect(bareBooleans('api/a.ts', "a.set('b', true); setVisible(true); f(a, isOpen);")).toEqual([]);
  });

  test('not on conditional parts and copies', () => {
    const source = 'const a = { ...b, ...(c ? { d } : {}) }; const e = [...f, ...(g ? [h] : [])];';
    expect(literalSpreads('api/a.ts', source)).toEqual([]);
  });

  test('on files that import each other, also by types', () => {
    const files = [
      { path: 'api/a.ts', source: "import { b } from './b.ts';" },
      { path: 'api/b.ts', source: "import { c } from './c.ts';" },
      { path: 'api/c.ts', source: "import type { A } from './a.ts';" },
    ];
    expect(importCycles(files)).toEqual(['api/a.ts -> api/b.ts -> api/c.ts']);
  });

  test('on an export that nothing imports', () => {
    const files = [
      { path: 'api/a.ts', source: "import { used } from './b.ts'; used();" },
      {
        path: 'api/b.ts',
        source: 'export const used = () => 1; export const unused = 1; export type Lonely = 1;',
      },
    ];
    expect(unusedExports(files, [])).toEqual([
      'api/b.ts: nothing imports unused',
      'api/b.ts: nothing imports Lonely',
    ]);
  });
});
