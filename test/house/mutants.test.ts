import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseSync } from 'oxc-parser';
import { type Mutant, mutate } from '../mutants/mutant.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { ROOT, readProjectFile } from './project-files.ts';

const made: Mutant = {
  name: 'made-up',
  breaks: 'nothing',
  file: 'a.ts',
  find: 'b',
  replace: 'c',
  caughtBy: { simulation: 1 },
};

describe('the mutants', () => {
  test('are at least 20, each with its own name', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s: its place stands in the code exactly once, and the code with it still parses',
    (_name, mutant) => {
      const source = readProjectFile(mutant.file);
      const mutated = mutate(mutant, source);
      expect(mutated).not.toBe(source);
      expect(parseSync(mutant.file, mutated).errors).toEqual([]);
      const tests = 'tests' in mutant.caughtBy ? mutant.caughtBy.tests : [];
      expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    },
  );

  test('a place that is gone, or not the only one, is an error', () => {
    expect(() => mutate(made, 'a')).toThrow('stands 0 times');
    expect(() => mutate(made, 'b b')).toThrow('stands 2 times');
    expect(mutate(made, 'a b')).toBe('a c');
  });
});
