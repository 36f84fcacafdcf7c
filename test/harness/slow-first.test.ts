import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { PROJECT_ROOT } from './child-process.ts';
import SlowFirst, { SLOW } from './slow-first.ts';

type Tests = Parameters<SlowFirst['sort']>[0];

const pathOf = (suite: string) => join(PROJECT_ROOT, 'test', `${suite}.test.ts`);

test('every suite that is named exists', () => {
  expect(SLOW.filter((suite) => !existsSync(pathOf(suite)))).toEqual([]);
});

test('slow suites come early, with others between them, of which the largest file is the first', () => {
  const [slowest = '', second = ''] = SLOW;
  const [large, small, smallest] = ['e2e/cache-and-fallback', 'e2e/plain', 'harness/slow-first'] as const;
  const inOrder = [slowest, large, small, second, smallest].map(pathOf);
  const tests = inOrder.toReversed().map((path) => ({ path }) as Tests[number]);
  const sequencer = new SlowFirst({ contexts: [], globalConfig: {} as never });
  expect(sequencer.sort(tests).map(({ path }) => path)).toEqual(inOrder);
});
