/**
 * The built-in compressor: the coarse step of LongLLMLingua without a model. It drops whole units (sentences, rows,
 * blocks of code), so what it keeps is word for word and in its order. Deterministic.
 */
import { LIMITS } from '../../contracts/limits.ts';
import { TooLate, withTimeout } from '../../platform/with-timeout.ts';
import { chooseUnits } from './choose-units.ts';
import type { CompressedContext, CompressionTask, Compressor } from './compressor.ts';
import { type Meaning, type RankedUnit, rankUnits } from './rank-units.ts';
import type { SentenceVectors } from './sentence-vectors.ts';
import { splitText, type TextUnit } from './split-text.ts';

/** Replaces a context of which nothing is kept. */
const NOTHING_KEPT = '…';
/** Units that get a vector, which takes some 10 ms of a core each. */
const MOST_VECTORS = 256;
/** Sentences that are encoded at once. The encoder has other users, so a batch takes about as long as a question. */
const BATCH = 4;
/** How often the budget is corrected by the tokens that the kept units have together. */
const FITTINGS = 10;
/** Subtracted from a budget beyond its excess, so that the corrections end. */
const STEP_TOKENS = 2;

/**
 * @param vectors null: words alone rank.
 * @param meaningMs how long vectors may take; if they take longer, words alone rank.
 */
export function createCoarseCompressor(
  countTokens: (text: string) => number,
  vectors: SentenceVectors | null,
  meaningMs: number = LIMITS.meaningMs,
): Compressor {
  return {
    engine: 'built-in',
    async compress({ contexts, question, targetTokens }: CompressionTask) {
      const texts = contexts.map(splitText);
      const meaning = vectors === null ? null : await readMeaning(vectors, texts, question, meaningMs);
      const ranked = rankUnits(texts, question, meaning);
      const kept = fillTarget(contexts, ranked, targetTokens, countTokens);
      return contexts.map(
        (_, index): CompressedContext => ({
          text: kept[index] || NOTHING_KEPT,
          relevance: relevanceOf(ranked[index] ?? []),
        }),
      );
    },
  };
}

/** In very long contexts only the units that the words rank highest get a vector: the others cannot catch up. */
async function readMeaning(
  vectors: SentenceVectors,
  texts: readonly (readonly TextUnit[])[],
  question: string,
  meaningMs: number,
): Promise<Meaning | null> {
  if (question === '') return null;
  const units = texts.flat().filter(({ kind }) => kind !== 'heading');
  const compared = units.length <= MOST_VECTORS ? units : bestByWords(texts, question);
  try {
    return await withTimeout('the encoder', meaningMs, encodeMeaning(vectors, question, compared, meaningMs));
  } catch (error) {
    if (error instanceof TooLate) return null;
    throw error;
  }
}

async function encodeMeaning(
  vectors: SentenceVectors,
  question: string,
  units: readonly TextUnit[],
  meaningMs: number,
): Promise<Meaning | null> {
  const deadline = performance.now() + meaningMs;
  const [ofQuestion] = (await vectors.read([question])) ?? [];
  if (ofQuestion === undefined) return null;
  const ofUnits = new Map<TextUnit, Float32Array>();
  for (let from = 0; from < units.length; from += BATCH) {
    if (performance.now() > deadline) return null;
    const batch = units.slice(from, from + BATCH);
    const batchVectors = await vectors.read(batch.map(({ text }) => text));
    if (batchVectors === null) return null;
    for (const [index, unit] of batch.entries()) ofUnits.set(unit, batchVectors[index] ?? new Float32Array());
  }
  return { question: ofQuestion, units: ofUnits };
}

function bestByWords(texts: readonly (readonly TextUnit[])[], question: string): TextUnit[] {
  return rankUnits(texts, question, null)
    .flat()
    .filter(({ unit }) => unit.kind !== 'heading')
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_VECTORS)
    .map(({ unit }) => unit);
}

/** Fills the target. Joined units have a few tokens more or less than each has alone. */
function fillTarget(
  contexts: readonly string[],
  ranked: readonly (readonly RankedUnit[])[],
  targetTokens: number,
  countTokens: (text: string) => number,
): readonly string[] {
  const counted = new Map<RankedUnit, number>();
  for (const unit of ranked.flat()) counted.set(unit, countTokens(unit.unit.text));
  let best: readonly string[] = contexts.map(() => '');
  let bestTokens = 0;
  let budget = targetTokens;
  for (let fitting = 0; fitting < FITTINGS; fitting += 1) {
    const kept = chooseUnits(ranked, (unit) => counted.get(unit) ?? 0, budget);
    const texts = contexts.map((text, index) =>
      putTogether(text, ranked[index] ?? [], kept[index] ?? new Set()),
    );
    const tokens = texts.reduce((sum, text) => sum + countTokens(text), 0);
    if (tokens <= targetTokens && tokens > bestTokens) {
      best = texts;
      bestTokens = tokens;
    }
    if (tokens <= targetTokens && fitting > 0) break;
    budget += targetTokens - tokens - (tokens > targetTokens ? STEP_TOKENS : 0);
  }
  return best;
}

/** Neighbours keep the text between them; a gap becomes a line break. */
function putTogether(text: string, ranked: readonly RankedUnit[], kept: ReadonlySet<number>): string {
  let put = '';
  let last: { readonly index: number; readonly unit: TextUnit } | null = null;
  for (const [index, { unit }] of ranked.entries()) {
    if (!kept.has(index)) continue;
    if (last !== null) put += last.index === index - 1 ? text.slice(last.unit.end, unit.start) : '\n';
    put += unit.text;
    last = { index, unit };
  }
  return put;
}

/** The best units decide the relevance of a context: a long one must not win by its length. */
function relevanceOf(ranked: readonly RankedUnit[]): number {
  const best = ranked.map(({ score }) => score).sort((a, b) => b - a);
  return best.slice(0, 3).reduce((sum, score) => sum + score, 0);
}
