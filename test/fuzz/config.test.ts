import { expect, test } from '@jest/globals';
import { chooseSeed } from '../harness/random.ts';
import { fuzzConfig } from './fuzz-config.ts';

test('a config file or environment of any content gives a config or an error that names what to correct', async () => {
  const report = await fuzzConfig({ seed: chooseSeed(), inputs: 400 });
  expect(report.failures).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(400);
});
