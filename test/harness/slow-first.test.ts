import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { PROJECT_ROOT } from './child-process.ts';
import SlowFirst, { SLOW } from './slow-first.ts';

const pathOf = (suite: string) => join(PROJECT_ROOT, 'test', `${suite}.test.ts`);

test('every suite that is named exists', () => {
  expect(SLOW.filter((suite) => !existsSync(pathOf(suite)))).toEqual([]);
});

test('slow suites come first, then those of the whole, then the parts; of these, the largest file', () => {
  const inOrder = [...SLOW.slice(0, 2), 'e2e/plain', 'harness/check-events', 'harness/slow-first'].map(
    pathOf,
  );
  const tests = inOrder.toReversed().map((path) => ({ path }) as Parameters<SlowFirst['sort']>[0][number]);
  expect(
    new SlowFirst({ contexts: [], globalConfig: {} as never }).sort(tests).map(({ path }) => path),
  ).toEqual(inOrder);
});
