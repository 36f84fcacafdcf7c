/**
 * Chooses the thresholds of the model, with the rules before it, on the authors held out for that: for close and for
 * reworded prompts, and for each number of false hits, the lowest threshold that allows no more. Writes
 * calibration.json beside the weights, and their hashes.
 *
 * node tools/cache-verifier/calibrate.ts
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Calibration, PAIR_WEIGHTS, thresholdsOf } from '../../engine/cache/pair-model/calibration.ts';
import { type Closeness, closenesses } from '../../engine/cache/pair-model/closeness.ts';
import { closenessOfPair, createPairReader, type Decision, isHit } from './decide-pairs.ts';
import { shown, wilson } from './rates.ts';
import { readPairs, withReworded } from './written-pairs.ts';

/** No route may accept more. */
const MOST_FALSE = 0.05;

interface DecidedPair {
  readonly isSame: boolean;
  readonly closeness: Closeness;
  readonly decision: Decision;
}

const decided: DecidedPair[] = [];
const reader = await createPairReader();
for (const pair of withReworded(readPairs('calibrate'))) {
  const decision = await reader.decide(pair);
  // The filter knows what it does; the guarantee is about what is read.
  if (decision.by === 'filter') continue;
  decided.push({ isSame: pair.kind === null, closeness: closenessOfPair(pair), decision });
}
const calibration: Calibration = { close: pointsOf('close'), reworded: pointsOf('reworded') };
writeFileSync(new URL('calibration.json', PAIR_WEIGHTS), `${JSON.stringify(calibration, null, 1)}\n`);
writeHashes();
printFound();

function pointsOf(closeness: Closeness): Calibration[Closeness] {
  const near = decided.filter((pair) => !pair.isSame && pair.closeness === closeness);
  const byRules = near.filter(({ decision }) => decision.by === 'rules' && decision.same).length;
  const logits = near
    .flatMap(({ decision }) => (decision.by === 'model' && decision.logit !== null ? [decision.logit] : []))
    .sort((a, b) => b - a);
  console.log(
    `${closeness}: ${near.length} near misses, ${byRules} of them the same by the rules; the model reads ${logits.length}`,
  );
  const points: Calibration[Closeness] = [];
  for (let passed = 0; passed <= logits.length; passed += 1) {
    const [, upper] = wilson({ hits: byRules + passed, of: near.length });
    if (upper > MOST_FALSE) break;
    // Just above the next false hit.
    const next = logits[passed] ?? Number.NEGATIVE_INFINITY;
    points.push({ falseHits: rounded(upper), logit: rounded(Math.max(next + 0.001, -20)) });
  }
  return points;
}

function writeHashes(): void {
  const hashOf = (name: string) =>
    createHash('sha256')
      .update(readFileSync(new URL(name, PAIR_WEIGHTS)))
      .digest('hex');
  const hashes = Object.fromEntries(
    ['calibration.json', 'verifier.onnx'].map((name) => [name, hashOf(name)]),
  );
  writeFileSync(new URL('sha256.json', PAIR_WEIGHTS), `${JSON.stringify(hashes, null, 2)}\n`);
}

function printFound(): void {
  for (const accepted of [0.003, 0.005, 0.01, 0.02, 0.05]) {
    const thresholds = thresholdsOf(calibration, accepted);
    if (thresholds === null) {
      console.log(`accepted ${accepted}: not guaranteed`);
      continue;
    }
    for (const closeness of closenesses) {
      const same = decided.filter((pair) => pair.isSame && pair.closeness === closeness);
      const found = same.filter(({ decision }) => isHit(decision, thresholds)).length;
      const share = shown({ hits: found, of: same.length });
      console.log(`accepted ${accepted}, ${closeness}: from ${thresholds[closeness]} on, found ${share}`);
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
