/**
 * Which share of wrong answers a route may accept if its config says nothing: the highest of these at which, of the
 * written near misses of the authors of the calibration, the upper end of the share that is taken for the same stays
 * below 1 %.
 *
 * node tools/cache-verifier/choose-default.ts
 */
import { readCalibration, thresholdsOf } from '../../engine/cache/pair-model/calibration.ts';
import { createPairReader, type Decision, isHit } from './decide-pairs.ts';
import { clusteredUpper, percent, shown } from './rates.ts';
import { readPairs, type WrittenPair } from './written-pairs.ts';

const SHARES = [0.01, 0.02, 0.03, 0.04, 0.05];
const MOST_FALSE = 0.01;

interface DecidedPair extends WrittenPair {
  readonly decision: Decision;
}

const reader = await createPairReader();
const pairs: DecidedPair[] = [];
for (const pair of readPairs('calibrate')) pairs.push({ ...pair, decision: await reader.decide(pair) });
const calibration = readCalibration();
let chosen: number | undefined;
for (const accepted of SHARES) {
  const thresholds = thresholdsOf(calibration, accepted);
  if (thresholds === null) continue;
  const taken = ({ decision }: DecidedPair) => isHit(decision, thresholds);
  const [same, near] = [pairs.filter(({ kind }) => kind === null), pairs.filter(({ kind }) => kind !== null)];
  const upper = clusteredUpper(near, taken, [({ group }) => group, ({ author }) => author]);
  if (upper < MOST_FALSE) chosen = accepted;
  console.log(
    `accepted ${accepted}: found ${shown({ hits: same.filter(taken).length, of: same.length })}, false ` +
      `${shown({ hits: near.filter(taken).length, of: near.length })}, at most ${percent(upper)} with authors apart`,
  );
}
console.log(`default: ${chosen ?? 'none'}`);
process.exit(0);
