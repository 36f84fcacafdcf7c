/** Another month, day of the week, holiday or time of the day. */
import type { Comparison, Side } from '../compare-facts.ts';
import { MONTHS, WEEKDAYS } from '../normalise/times.ts';
import { type Difference, type Veto, wordSet } from './difference.ts';

const DAYS = new Set(WEEKDAYS);
const RELATIVE = wordSet('today tomorrow yesterday');
const SEASONS = wordSet('spring summer autumn winter');
const FEASTS = wordSet('christmas easter halloween thanksgiving ramadan diwali hanukkah passover advent');
const PARTS_OF_DAY = wordSet('morning afternoon evening noon midnight');
const GROUPS = [new Set(MONTHS), DAYS, RELATIVE, SEASONS, FEASTS, PARTS_OF_DAY];
/** A short prompt does not name them by the way. */
const TELLING_ALONE: readonly number[] = [0, 1];
const FEW_WORDS = 20;
/** Also common words: a month only where a date may stand. */
const ALSO_VERBS = wordSet('may march');
const BEFORE_MONTH =
  /^(?:#?\d.*|in|of|since|until|till|by|last|next|this|early|late|mid|end|from|to|and|or)$/;

export const dates: Veto = ({ left, right, isClose }: Comparison) => {
  const isTellingAlone = isClose && Math.max(left.facts.words.length, right.facts.words.length) <= FEW_WORDS;
  for (const [index, group] of GROUPS.entries()) {
    const [ofLeft, ofRight] = [datesOf(left, right, group), datesOf(right, left, group)];
    const [first, second] = [ofLeft[0], ofRight[0]];
    if (first !== undefined && second !== undefined) return differing(`${first} and ${second}`);
    const single = first ?? second;
    if (single !== undefined && isTellingAlone && TELLING_ALONE.includes(index)) return differing(single);
  }
  return null;
};

function differing(detail: string): Difference {
  return { kind: 'date', detail };
}

/** The dates of this group that only this prompt has. */
function datesOf({ facts }: Side, { facts: other }: Side, group: ReadonlySet<string>): string[] {
  const isWorkWeek = (words: readonly string[]) => words.includes('weekday') || words.includes('weekdays');
  return facts.all.filter((written, at) => {
    const word = group.has(written) ? written : written.replace(/s$/, '');
    if (!group.has(word) || other.all.includes(word) || other.all.includes(`${word}s`)) return false;
    if (ALSO_VERBS.has(word) && !isMonthAt(facts.all, at)) return false;
    if (DAYS.has(word) && isWorkWeek(other.all)) return false;
    if (other.all.some((each) => each.length === 3 && word.startsWith(each))) return false;
    // 14/10 is the 14th of October.
    return !(
      MONTHS.includes(word) && other.numbers.some(({ values }) => values[0] === MONTHS.indexOf(word) + 1)
    );
  });
}

function isMonthAt(words: readonly string[], at: number): boolean {
  return BEFORE_MONTH.test(words[at - 1] ?? '') || /^#?\d/.test(words[at + 1] ?? '');
}
