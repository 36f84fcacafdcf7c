/**
 * Chooses the thresholds of the model, with the rules before it, on the authors held out for that: for each number of
 * false hits the lowest threshold that allows no more. Writes calibration.json beside the weights, and their hashes.
 *
 * node tools/cache-verifier/calibrate.ts
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { leastLogit, PAIR_WEIGHTS } from '../../engine/cache/pair-model/calibration.ts';
import { createPairReader, type Decision, isHit } from './decide-pairs.ts';
import { shown, wilson } from './rates.ts';
import { readPairs } from './written-pairs.ts';

/** No route may accept more. */
const MOST_FALSE = 0.05;

const pairs = readPairs('calibrate');
const reader = await createPairReader();
const decisions: { same: boolean; decision: Decision }[] = [];
for (const pair of pairs) {
  const decision = await reader.decide(pair);
  // The filter knows what it does; the guarantee is about what is read.
  if (decision.by !== 'filter') decisions.push({ same: pair.kind === null, decision });
}
const near = decisions.filter(({ same }) => !same);
const paraphrases = decisions.filter(({ same }) => same);
const byRules = near.filter(({ decision }) => decision.by === 'rules' && decision.same).length;
const logits = near
  .flatMap(({ decision }) => (decision.by === 'model' && decision.logit !== null ? [decision.logit] : []))
  .sort((a, b) => b - a);

const points: { falseHits: number; logit: number }[] = [];
for (let passed = 0; passed <= logits.length; passed += 1) {
  const [, upper] = wilson({ hits: byRules + passed, of: near.length });
  if (upper > MOST_FALSE) break;
  // Just above the next false hit.
  const next = logits[passed] ?? Number.NEGATIVE_INFINITY;
  points.push({ falseHits: rounded(upper), logit: rounded(Math.max(next + 0.001, -20)) });
}
writeFileSync(new URL('calibration.json', PAIR_WEIGHTS), `${JSON.stringify({ points }, null, 1)}\n`);
const hashes = Object.fromEntries(
  ['calibration.json', 'verifier.onnx'].map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(new URL(name, PAIR_WEIGHTS)))
      .digest('hex'),
  ]),
);
writeFileSync(new URL('sha256.json', PAIR_WEIGHTS), `${JSON.stringify(hashes, null, 2)}\n`);

console.log(
  `${near.length} near misses, ${byRules} of them the same by the rules; ${logits.length} read by the model`,
);
for (const accepted of [0.003, 0.005, 0.01, 0.02, 0.05]) {
  const least = leastLogit({ points }, accepted);
  if (least === null) {
    console.log(`accepted ${accepted}: not guaranteed`);
    continue;
  }
  const found = paraphrases.filter(({ decision }) => isHit(decision, least)).length;
  console.log(`accepted ${accepted}: ${least}, found ${shown({ hits: found, of: paraphrases.length })}`);
}

function rounded(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
