/**
 * Chooses the thresholds of the model, with the rules before it, on the authors held out for that. The guarantee is per
 * question: each prompt is asked while all prompts that want another answer are stored at once, and it gets a wrong
 * answer if any of what the look-up compares is a hit. Writes calibration.json beside the weights, and their hashes.
 *
 * node tools/cache-verifier/calibrate.ts
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  type Calibration,
  LESS_NEEDED,
  PAIR_WEIGHTS,
  thresholdsOf,
} from '../../engine/cache/pair-model/calibration.ts';
import { askEach, sharesOf } from './ask-each.ts';
import { LookUps } from './look-ups.ts';
import { clusteredUpper, shown } from './rates.ts';
import { promptsOf, readPairs, type StoredPrompt } from './written-pairs.ts';

/** No route may accept more. */
const MOST_FALSE = 0.05;

/** A question whose own answer is not stored. */
interface NewQuestion {
  readonly prompt: StoredPrompt;
  /** It gets a wrong answer if close prompts need no more than this; infinite if the rules alone give one. */
  readonly wrongUpTo: number;
}

// The weights may be new, and whatever is loaded is compared with its hash.
writeHashes();
const prompts = promptsOf(readPairs('calibrate'));
const lookUps = await LookUps.among(prompts);
const questions: NewQuestion[] = [];
for (const prompt of prompts) questions.push(await ask(prompt));
const calibration: Calibration = { points: pointsOf(questions) };
writeFileSync(new URL('calibration.json', PAIR_WEIGHTS), `${JSON.stringify(calibration, null, 1)}\n`);
writeHashes();
await printFound();
await lookUps.close();

async function ask(prompt: StoredPrompt): Promise<NewQuestion> {
  const neighbours = await lookUps.neighboursOf(prompt);
  const wrong = neighbours.filter((other) => other.prompt.meaning !== prompt.meaning);
  if ((await lookUps.lookUp(prompt, wrong, null)) !== null)
    return { prompt, wrongUpTo: Number.POSITIVE_INFINITY };
  const estimates = await lookUps.estimatesOf(prompt, wrong);
  const needed = estimates.map(({ kind, logit }) => logit + LESS_NEEDED[kind]);
  return { prompt, wrongUpTo: Math.max(Number.NEGATIVE_INFINITY, ...needed) };
}

/** The more wrong answers are allowed, the lower the threshold; until the upper end passes what a route may accept. */
function pointsOf(all: readonly NewQuestion[]): Calibration['points'] {
  const sorted = [...all].sort((a, b) => b.wrongUpTo - a.wrongUpTo);
  const byRules = sorted.filter(({ wrongUpTo }) => wrongUpTo === Number.POSITIVE_INFINITY).length;
  console.log(`${all.length} questions; ${byRules} get a wrong answer by the rules alone`);
  const points: Calibration['points'] = [];
  let falseHits = 0;
  for (let passed = byRules; passed < sorted.length; passed += 1) {
    const wrong = new Set(sorted.slice(0, passed));
    const upper = clusteredUpper(all, (question) => wrong.has(question), [
      ({ prompt }) => prompt.group,
      ({ prompt }) => prompt.author,
    ]);
    // A lower threshold guarantees no less because its wrong answers happen to be spread more evenly.
    falseHits = Math.max(falseHits, rounded(upper));
    if (falseHits > MOST_FALSE) break;
    // Just above the next wrong answer.
    const next = sorted[passed]?.wrongUpTo ?? Number.NEGATIVE_INFINITY;
    points.push({ falseHits, logit: rounded(Math.max(next + 0.001, -20)) });
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

async function printFound(): Promise<void> {
  for (const accepted of [0.001, 0.005, 0.01, 0.02, 0.04, 0.05]) {
    const thresholds = thresholdsOf(calibration, accepted);
    if (thresholds === null) {
      console.log(`accepted ${accepted}: not guaranteed`);
      continue;
    }
    const { found, wrong, wrongIfNew } = sharesOf(await askEach(lookUps, prompts, thresholds));
    console.log(
      `accepted ${accepted}: from ${thresholds.close} on if close; found ${shown(found)}, wrong beside the right one ` +
        `${shown(wrong)}, wrong if new ${shown(wrongIfNew)}`,
    );
  }
}

/** Upwards: less is never guaranteed than was counted. */
function rounded(value: number): number {
  return Math.ceil(value * 1e5) / 1e5;
}
