import { expect, test } from '@jest/globals';
import { chooseSeed } from '../harness/random.ts';
import { fuzzReaders } from './fuzz-readers.ts';

test('the client and the edge relay give every event once and in order, or one of its errors, over any connection', async () => {
  const report = await fuzzReaders({ seed: chooseSeed(), inputs: 400 });
  expect(report.failures).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(400);
});
