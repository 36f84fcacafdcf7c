/** Chooses the units to keep: from the best down, each with its heading, and no repeats. */
import type { RankedUnit } from './rank-units.ts';

/** A long unit must be better than a short one to be worth its tokens. */
const COST_POWER = 0.3;
/** A unit is a repeat if another one has this share of its terms. */
const SAME_SHARE = 0.8;
/** Units that one unit is compared with. Without it, a text that repeats few words would compare each with all. */
const MOST_COMPARED = 200;
/** A unit of fewer terms is never a repeat. */
const LEAST_TERMS = 5;

interface Candidate extends RankedUnit {
  readonly text: number;
  readonly index: number;
  readonly worth: number;
}

/** @returns for each text, the indexes of the units that are kept. */
export function chooseUnits(
  texts: readonly (readonly RankedUnit[])[],
  tokensOf: (unit: RankedUnit) => number,
  budget: number,
): ReadonlySet<number>[] {
  const kept = texts.map(() => new Set<number>());
  const keptUnits = createMemory();
  const repeats: Candidate[] = [];
  let left = budget;
  const take = (candidate: Candidate) => {
    const set = kept[candidate.text] ?? new Set();
    const needed = [candidate.index, ...missingAbove(texts[candidate.text] ?? [], candidate.unit.under, set)];
    const cost = needed.reduce((sum, index) => {
      const unit = texts[candidate.text]?.[index];
      return unit === undefined ? sum : sum + tokensOf(unit);
    }, 0);
    if (cost > left) return;
    left -= cost;
    for (const index of needed) set.add(index);
    keptUnits.add(candidate.terms);
  };
  for (const candidate of byWorth(texts, tokensOf)) {
    if (keptUnits.has(candidate.terms)) repeats.push(candidate);
    else take(candidate);
  }
  // If there is room left, repeats may stay too.
  for (const candidate of repeats) take(candidate);
  return kept;
}

function byWorth(
  texts: readonly (readonly RankedUnit[])[],
  tokensOf: (unit: RankedUnit) => number,
): Candidate[] {
  return texts
    .flatMap((units, text) =>
      units.map((unit, index) => ({
        ...unit,
        text,
        index,
        worth: unit.score / Math.max(1, tokensOf(unit)) ** COST_POWER,
      })),
    )
    .filter(({ unit }) => unit.kind !== 'heading')
    .sort((a, b) => b.worth - a.worth || a.text - b.text || a.index - b.index);
}

/** Headings and heads of tables that are not kept yet. */
function missingAbove(
  units: readonly RankedUnit[],
  under: number | null,
  kept: ReadonlySet<number>,
): number[] {
  const missing: number[] = [];
  for (let above = under; above !== null && !kept.has(above); above = units[above]?.unit.under ?? null) {
    missing.push(above);
  }
  return missing;
}

/** Remembers the kept units. A unit is compared only with units that share one of its rarest terms. */
function createMemory() {
  const units: ReadonlySet<string>[] = [];
  const byTerm = new Map<string, number[]>();
  return {
    add(terms: readonly string[]) {
      const set = new Set(terms);
      for (const term of set) {
        const known = byTerm.get(term);
        if (known === undefined) byTerm.set(term, [units.length]);
        else known.push(units.length);
      }
      units.push(set);
    },
    has(terms: readonly string[]): boolean {
      const own = [...new Set(terms)];
      if (own.length < LEAST_TERMS) return false;
      // A repeat lacks few terms, so it shares at least one of any larger number; the rarest terms find it fastest.
      const probes = own
        .toSorted((a, b) => (byTerm.get(a)?.length ?? 0) - (byTerm.get(b)?.length ?? 0))
        .slice(0, Math.floor((1 - SAME_SHARE) * own.length) + 1);
      let left = MOST_COMPARED;
      for (const term of probes) {
        const near = byTerm.get(term) ?? [];
        const compared = near.slice(-left);
        left -= compared.length;
        const isRepeat = compared.some((index) => {
          const shared = own.filter((term) => units[index]?.has(term)).length;
          return shared / own.length >= SAME_SHARE;
        });
        if (isRepeat || left <= 0) return isRepeat;
      }
      return false;
    },
  };
}
