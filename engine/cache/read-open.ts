/** What a look-up accepts: what the rules prove, and what they leave open if the model is sure enough. */
import type { Thresholds } from './pair-model/calibration.ts';
import type { PerCloseness } from './pair-model/closeness.ts';
import { comparisonOf, type PairsToRead, type Reading } from './pair-model/read-pairs.ts';
import type { Comparison } from './question-verifier.ts';
import type { Ruled, Ruling } from './verifier/compare-conversations.ts';

interface Acceptance {
  /** null: the model is never sure enough. */
  readonly thresholds: Thresholds | null;
  /** Whether all that are the same matter, or only the first. */
  readonly all: boolean;
}

/** The model reads what the rules align, then what they leave open, until one is found or, if all matter, all. */
export async function readOpen(
  read: (pairs: PairsToRead) => Promise<readonly Reading[]>,
  ruled: readonly Ruled[],
  { thresholds, all }: Acceptance,
): Promise<readonly Comparison[]> {
  // What is aligned is not the same before the model has confirmed it.
  const comparisons = ruled.map(({ ruling }) => withoutModel(ruling === 'aligned' ? 'unsure' : ruling));
  const isFound = () => !all && comparisons.some(({ agreement }) => agreement === 'same');
  const readRuled = async (
    as: Ruling,
    least: PerCloseness<number>,
    toComparison: (reading: Reading) => Comparison,
  ) => {
    const open = ruled.flatMap(({ ruling, pair }, at) => (ruling === as ? [{ at, pair }] : []));
    if (open.length === 0) return;
    const readings = await read({ pairs: open.map(({ pair }) => pair), thresholds: least, all });
    for (const [place, { at }] of open.entries()) {
      const reading = readings[place];
      if (reading !== undefined) comparisons[at] = toComparison(reading);
    }
  };
  if (thresholds === null || isFound()) return comparisons;
  const { aligned, close, reworded } = thresholds;
  await readRuled('aligned', { close: aligned, reworded: aligned }, confirmed);
  if (!isFound()) await readRuled('unsure', { close, reworded }, comparisonOf);
  return comparisons;
}

/** The rules have found it, so it has no probability. */
function confirmed(reading: Reading): Comparison {
  return { agreement: comparisonOf(reading).agreement };
}

/** Without a model, what the rules align is the same. */
export function withoutModel(ruling: Ruling): Comparison {
  return { agreement: ruling === 'aligned' ? 'same' : ruling };
}
