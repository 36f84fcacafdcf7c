/**
 * The built-in compressor: the coarse step of LongLLMLingua without a model. It drops whole units (sentences, rows,
 * blocks of code), so what it keeps is word for word and in its order. Deterministic.
 */
import { LIMITS } from '../../contracts/limits.ts';
import type { SentenceVectors } from '../embedding/sentence-vectors.ts';
import { chooseUnits } from './choose-units.ts';
import type { CompressedContext, CompressionTask, Compressor } from './compressor.ts';
import { type Meaning, type RankedUnit, rankUnits } from './rank-units.ts';
import { splitText, type TextUnit } from './split-text.ts';

/** What stands for a context of which nothing was kept. */
const NOTHING_KEPT = '…';
/** Units whose meaning is compared; the vector of one takes some 10 ms of a core. */
const MOST_VECTORS = 256;
/** Vectors that are asked for at once: between two batches there may be too little time left. */
const BATCH = 16;
/** How often the budget is set right by what the kept units, put together, really have. */
const FITTINGS = 10;
/** What a budget that turned out too large gives up besides what it was too large by: so it comes to an end. */
const STEP_TOKENS = 2;

/**
 * @param vectors null: ranked by words alone.
 * @param meaningMs how long vectors may take; where they take longer, words alone decide.
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

/** Of very long contexts only the units that the words rank highest get a vector; the others are far behind anyway. */
async function readMeaning(
  vectors: SentenceVectors,
  texts: readonly (readonly TextUnit[])[],
  question: string,
  meaningMs: number,
): Promise<Meaning | null> {
  if (question === '') return null;
  const units = texts.flat().filter(({ kind }) => kind !== 'heading');
  const asked = units.length <= MOST_VECTORS ? units : bestByWords(texts, question);
  const deadline = performance.now() + meaningMs;
  const [ofQuestion] = await vectors.read([question]);
  if (ofQuestion === undefined) return null;
  const ofUnits = new Map<TextUnit, Float32Array>();
  for (let from = 0; from < asked.length; from += BATCH) {
    if (performance.now() > deadline) return null;
    const batch = asked.slice(from, from + BATCH);
    const read = await vectors.read(batch.map(({ text }) => text));
    for (const [index, unit] of batch.entries()) ofUnits.set(unit, read[index] ?? new Float32Array());
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

/** As much as the target holds: units that stand together have a few tokens more or less than each alone. */
function fillTarget(
  contexts: readonly string[],
  ranked: readonly (readonly RankedUnit[])[],
  targetTokens: number,
  countTokens: (text: string) => number,
): readonly string[] {
  const counted = new Map<RankedUnit, number>();
  for (const one of ranked.flat()) counted.set(one, countTokens(one.unit.text));
  let best: readonly string[] = contexts.map(() => '');
  let bestTokens = 0;
  let budget = targetTokens;
  for (let fitting = 0; fitting < FITTINGS; fitting += 1) {
    const kept = chooseUnits(ranked, (one) => counted.get(one) ?? 0, budget);
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

/** Neighbours as they stood; where something was left out, a new line. */
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

/** Its best units speak for a context: a long one must not win by its length. */
function relevanceOf(ranked: readonly RankedUnit[]): number {
  const best = ranked.map(({ score }) => score).sort((a, b) => b - a);
  return best.slice(0, 3).reduce((sum, score) => sum + score, 0);
}
