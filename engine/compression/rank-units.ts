/**
 * Ranks the units of texts by their relevance to a question: BM25 over the units, the similarity of meaning if there
 * are vectors, and the relevance of neighbours, paragraph and headings. Deterministic.
 *
 * Sources: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009); Jiang et al.,
 * "LongLLMLingua" (ACL 2024), whose coarse step ranks by the perplexity of a model instead.
 */
import { answerKind, FIRM } from './question-kinds.ts';
import type { TextUnit } from './split-text.ts';
import { termsOf } from './words.ts';

export interface RankedUnit {
  readonly unit: TextUnit;
  readonly terms: readonly string[];
  readonly score: number;
}

/** Vectors of length 1; a unit may have none. */
export interface Meaning {
  readonly question: Float32Array;
  readonly units: ReadonlyMap<TextUnit, Float32Array>;
}

/** Saturation and length normalisation of BM25; units are short, so length counts for little. */
const K1 = 1.2;
const B = 0.4;

/** Tuned on the tuning part of the set; results change little around these values. */
const WEIGHT = {
  words: 1,
  meaning: 0.3,
  neighbour: 0.2,
  before: 0.1,
  paragraph: 0.2,
  heading: 0.3,
  kind: 0.2,
  length: 0.2,
  firm: 0.05,
} as const;
/** Terms of a unit beyond which more terms add no worth. */
const FULL_LENGTH = 20;

export function rankUnits(
  texts: readonly (readonly TextUnit[])[],
  question: string,
  meaning: Meaning | null,
): RankedUnit[][] {
  const terms = texts.map((units) => units.map((unit) => termsOf(unit.text)));
  const words = relativeToBest(wordScores(terms, new Set(termsOf(question))));
  const similarity = relativeToBest(texts.map((units) => units.map((unit) => similarityOf(unit, meaning))));
  const kind = answerKind(question);
  return texts.map((units, text) => {
    const own = words[text] ?? [];
    const paragraphs = bestByParagraph(units, own);
    const inParagraph = (index: number, unit: TextUnit) =>
      units[index]?.paragraph === unit.paragraph ? (own[index] ?? 0) : 0;
    return units.map((unit, index) => {
      const ownTerms = terms[text]?.[index] ?? [];
      const score =
        WEIGHT.words * (own[index] ?? 0) +
        WEIGHT.meaning * (similarity[text]?.[index] ?? 0) +
        WEIGHT.neighbour * Math.max(own[index - 1] ?? 0, own[index + 1] ?? 0) +
        // The next sentence refers to the subject of this one as "it".
        WEIGHT.before * inParagraph(index - 1, unit) +
        WEIGHT.paragraph * (paragraphs.get(unit.paragraph) ?? 0) +
        WEIGHT.heading * bestAbove(units, own, unit) +
        WEIGHT.kind * Number(kind?.test(unit.text) ?? false) +
        WEIGHT.length * Math.min(1, ownTerms.length / FULL_LENGTH) +
        WEIGHT.firm * Number(unit.kind === 'code' || FIRM.test(unit.text));
      return { unit, terms: ownTerms, score };
    });
  });
}

/** BM25 of each unit; the collection is all units of all texts. */
function wordScores(
  texts: readonly (readonly (readonly string[])[])[],
  questionTerms: ReadonlySet<string>,
): number[][] {
  const all = texts.flat();
  const frequency = new Map<string, number>();
  for (const terms of all) {
    for (const term of new Set(terms))
      if (questionTerms.has(term)) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  }
  const meanTerms = all.reduce((sum, terms) => sum + terms.length, 0) / Math.max(1, all.length);
  const rarity = (term: string) => {
    const units = frequency.get(term) ?? 0;
    return Math.log(1 + (all.length - units + 0.5) / (units + 0.5));
  };
  return texts.map((units) =>
    units.map((terms) => {
      const counts = new Map<string, number>();
      for (const term of terms) if (questionTerms.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
      const length = K1 * (1 - B + (B * terms.length) / Math.max(1, meanTerms));
      return [...counts].reduce(
        (sum, [term, count]) => sum + (rarity(term) * count * (K1 + 1)) / (count + length),
        0,
      );
    }),
  );
}

function similarityOf(unit: TextUnit, meaning: Meaning | null): number {
  const vector = meaning?.units.get(unit);
  if (meaning === null || vector === undefined) return 0;
  return Math.max(
    0,
    vector.reduce((sum, value, index) => sum + value * (meaning.question[index] ?? 0), 0),
  );
}

function relativeToBest(scores: readonly (readonly number[])[]): number[][] {
  const best = scores.flat().reduce((most, score) => Math.max(most, score), 1e-9);
  return scores.map((list) => list.map((score) => score / best));
}

function bestByParagraph(units: readonly TextUnit[], own: readonly number[]): Map<number, number> {
  const best = new Map<number, number>();
  for (const [index, { paragraph }] of units.entries()) {
    best.set(paragraph, Math.max(best.get(paragraph) ?? 0, own[index] ?? 0));
  }
  return best;
}

function bestAbove(units: readonly TextUnit[], own: readonly number[], unit: TextUnit): number {
  let best = 0;
  for (let above = unit.under; above !== null; above = units[above]?.under ?? null) {
    best = Math.max(best, own[above] ?? 0);
  }
  return best;
}
