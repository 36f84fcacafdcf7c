/** docs/scale.md against the measured costs and the simulation that it is written from. */
import { expect, test } from '@jest/globals';
import { readCosts } from '../../tools/bench/scale/costs.ts';
import { expectedPage, withFigures } from '../../tools/bench/scale/scale.ts';
import { hashOfCosts, readSimulated, simulatePoint } from '../../tools/bench/scale/simulate-scale.ts';
import { readProjectFile } from './project-files.ts';

const PAGE = 'docs/scale.md';
const OUTDATED = 'npm run bench -- scale --write';

test('the figures of docs/scale.md are those of the measured costs', () => {
  const page = readProjectFile(PAGE);
  expect([OUTDATED, page]).toEqual([OUTDATED, expectedPage(page)]);
});

test('the simulation was made of the measured costs, and repeats itself', () => {
  const [costs, simulated] = [readCosts(), readSimulated()];
  expect([OUTDATED, simulated.costsHash]).toEqual([OUTDATED, hashOfCosts()]);
  const [first] = costs.points;
  if (first === undefined) throw new Error('no measured point');
  expect(simulatePoint(costs, first, simulated.waitMs)).toEqual(simulated.points[0]);
});

test('the check notices a figure that was changed by hand, and a figure without a place', () => {
  const page = '<!-- figures: plan -->\n\nold\n\n<!-- end of figures -->\n';
  expect(withFigures(page, { plan: 'new' })).toBe(page.replace('old', 'new'));
  expect(() => withFigures(page, {})).toThrow('"plan"');
  expect(() => withFigures(page, { plan: 'new', engines: 'x' })).toThrow('engines');
});
