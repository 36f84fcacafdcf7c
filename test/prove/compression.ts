/**
 * How many tokens the built-in compressor removes, and how many answers are still in what is left, beside cutting to
 * the same length from the front and beside dropping units by chance.
 */
import { countTokens } from '../../contracts/count-tokens.ts';
import { createCoarseCompressor } from '../../engine/compression/coarse-compressor.ts';
import type { Compressor } from '../../engine/compression/compressor.ts';
import { SentenceVectors } from '../../engine/compression/sentence-vectors.ts';
import { splitText } from '../../engine/compression/split-text.ts';
import { SentenceEncoder } from '../../engine/embedding/sentence-encoder.ts';
import { percent, wilson } from '../../tools/cache-verifier/rates.ts';
import { createRandom, type Random } from '../harness/random.ts';
import { type AskedDocument, readCompressionSet } from './compression-set.ts';

const RANDOM_ROUNDS = 20;
/** A busy machine may change the times of this proof, not its figures. */
const MEANING_MS = 120_000;
/** Half of the tokens removed, and so many answers kept: judged on contexts of five documents, some 6,500 tokens. */
const AIM_REMOVED = 0.5;
const AIM_KEPT = 0.95;

interface Setting {
  readonly title: string;
  /** The document that has the answer, among others of its part. */
  readonly documents: number;
  readonly keep: number;
}

const SETTINGS: readonly Setting[] = [
  { title: 'one document, keep 50 %', documents: 1, keep: 0.5 },
  { title: 'five documents, keep 50 %', documents: 5, keep: 0.5 },
  { title: 'five documents, keep 25 %', documents: 5, keep: 0.25 },
];

interface Case {
  readonly question: string;
  readonly answer: string;
  readonly contexts: readonly string[];
}

interface Result {
  readonly before: number;
  readonly after: number;
  readonly kept: number;
  readonly cases: number;
}

interface CompressionPlan {
  readonly seed: number;
  /** Names each question whose answer was lost. */
  readonly verbose: boolean;
}

/** Prints the tables. Resolves with whether the aim was reached for long contexts, on the part not tuned on. */
export async function proveCompression({ seed, verbose }: CompressionPlan): Promise<boolean> {
  const all = readCompressionSet();
  const encoder = new SentenceEncoder();
  const vectors = new SentenceVectors((texts) => encoder.encode(texts));
  const compressors = [
    ['built-in', createCoarseCompressor(countTokens, vectors, MEANING_MS)],
    ['built-in, by words alone', createCoarseCompressor(countTokens, null)],
  ] as const;
  const aims: string[] = [];
  let reached = false;
  for (const part of ['tune', 'report'] as const) {
    const documents = all.filter((document) => document.part === part);
    const questions = documents.reduce((sum, document) => sum + document.questions.length, 0);
    console.log(`\n${part}: ${documents.length} documents, ${questions} questions, seed ${seed}`);
    for (const setting of SETTINGS) {
      const cases = casesOf(documents, setting, createRandom(seed));
      console.log(`  ${setting.title}`);
      let lengths: readonly number[] = [];
      for (const [title, compressor] of compressors) {
        const startedAt = performance.now();
        const { result, tokens } = await runCompressor(compressor, cases, setting.keep, verbose);
        const ms = (performance.now() - startedAt) / cases.length;
        printLine(title, result, `${ms.toFixed(0)} ms each`);
        if (lengths.length === 0) {
          lengths = tokens;
          if (part === 'report' && setting.keep === AIM_REMOVED) {
            const isReached = reaches(result);
            if (setting.documents > 1) reached = isReached;
            aims.push(`${setting.title}: ${isReached ? 'reached' : 'NOT reached'}`);
          }
        }
      }
      printLine('cut from the front', runFrontCut(cases, lengths));
      printLine(`by chance (${RANDOM_ROUNDS} rounds)`, runChance(cases, lengths, createRandom(seed)));
    }
  }
  console.log(
    `\naim: ${AIM_REMOVED * 100} % removed with ${AIM_KEPT * 100} % of the answers kept, on the part that nothing was ` +
      `tuned on; ${aims.join('; ')}`,
  );
  await encoder.close();
  return reached;
}

function reaches({ before, after, kept, cases }: Result): boolean {
  // The length of a text in tokens is whole; half of an odd one is not.
  return 1 - after / before >= AIM_REMOVED - 0.001 && kept / cases >= AIM_KEPT;
}

function casesOf(documents: readonly AskedDocument[], { documents: count }: Setting, random: Random): Case[] {
  return documents.flatMap(({ questions, text }, index) =>
    questions.map(({ ask, answer }) => {
      const others = Array.from({ length: count - 1 }, (_, step) => {
        return documents[(index + 1 + step) % documents.length]?.text ?? '';
      });
      const place = random.between(0, others.length);
      return { question: ask, answer, contexts: others.toSpliced(place, 0, text) };
    }),
  );
}

async function runCompressor(compressor: Compressor, cases: readonly Case[], keep: number, verbose: boolean) {
  const tokens: number[] = [];
  let before = 0;
  let kept = 0;
  for (const { question, answer, contexts } of cases) {
    const own = contexts.reduce((sum, text) => sum + countTokens(text), 0);
    const targetTokens = Math.floor(own * keep);
    const compressed = await compressor.compress({ question, contexts, targetTokens });
    before += own;
    tokens.push(compressed.reduce((sum, { text }) => sum + countTokens(text), 0));
    const isKept = compressed.some(({ text }) => text.includes(answer));
    if (isKept) kept += 1;
    else if (verbose) console.log(`      lost: ${question} (${answer})`);
  }
  return { result: { before, after: sumOf(tokens), kept, cases: cases.length }, tokens };
}

function runFrontCut(cases: readonly Case[], lengths: readonly number[]): Result {
  let before = 0;
  let kept = 0;
  for (const [index, { answer, contexts }] of cases.entries()) {
    const text = contexts.join('\n');
    before += countTokens(text);
    if (cutTo(text, lengths[index] ?? 0).includes(answer)) kept += 1;
  }
  return { before, after: sumOf(lengths), kept, cases: cases.length };
}

/** The longest beginning of so many tokens. */
function cutTo(text: string, tokens: number): string {
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countTokens(text.slice(0, middle)) <= tokens) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low);
}

/** Drops sentences, rows and blocks by chance until the rest has the length; the mean of several rounds. */
function runChance(cases: readonly Case[], lengths: readonly number[], random: Random): Result {
  let before = 0;
  let kept = 0;
  for (const [index, { answer, contexts }] of cases.entries()) {
    const units = contexts.flatMap((text) =>
      splitText(text).map((unit) => ({ text: unit.text, tokens: countTokens(unit.text) })),
    );
    before += sumOf(units.map(({ tokens }) => tokens));
    for (let round = 0; round < RANDOM_ROUNDS; round += 1) {
      let left = lengths[index] ?? 0;
      const drawn = units.map((unit) => ({ ...unit, lot: random.between(0, 1_000_000) }));
      for (const { text, tokens } of drawn.sort((a, b) => a.lot - b.lot)) {
        if (tokens > left) continue;
        left -= tokens;
        if (text.includes(answer)) kept += 1 / RANDOM_ROUNDS;
      }
    }
  }
  return { before, after: sumOf(lengths), kept, cases: cases.length };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function printLine(title: string, { before, after, kept, cases }: Result, note = ''): void {
  const [low, high] = wilson({ hits: kept, of: cases });
  console.log(
    `    ${title.padEnd(28)} removed ${percent(1 - after / before)}  answers kept ${percent(kept / cases)} ` +
      `(${kept.toFixed(kept % 1 === 0 ? 0 : 1)} of ${cases}, 95 % interval ${percent(low)} to ${percent(high)}) ${note}`,
  );
}
