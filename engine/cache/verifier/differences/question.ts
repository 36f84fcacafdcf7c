/** Another kind of question: why, not how; what was, not what is. */
import type { Comparison, Side } from '../compare-facts.ts';
import type { Facts } from '../read-facts.ts';
import { type Veto, wordSet } from './difference.ts';

const WHY_ELSE =
  /\b(?:why|reasons?|caus\w+|how come|(?:comes?|came) (?:from|about)|explain\w*|explanation|makes?|made|wrong|due|fault|responsible|what for|purpose|point|behind|because|sense|logic|mistake|gain|benefit|good|not|no)\b/;
/** They ask for different things, except in `the date when`, `a person who`. */
const ASKING = wordSet('why when where who');
const PAST = wordSet('did was were had');
const PRESENT = wordSet('is are do does has have am will');

/** Below it, the other prompt may ask why in other words. */
const ALIKE = 0.4;

export const question: Veto = ({ left, right, isTight, isClose, overlap }: Comparison) => {
  const isWhy = (own: Facts, other: Facts) => /\bwhy\b/.test(own.text) && !WHY_ELSE.test(other.text);
  const isAlike = overlap >= ALIKE;
  if (isAlike && (isWhy(left.facts, right.facts) || isWhy(right.facts, left.facts)))
    return { kind: 'question', detail: 'why' };
  const [asks, asksToo] = [askedBy(left), askedBy(right)];
  if (isClose && asks !== undefined && asksToo !== undefined)
    return { kind: 'question', detail: `${asks} and ${asksToo}` };
  const [tense, other] = [tenseOf(left), tenseOf(right)];
  if (isTight && tense !== null && other !== null && tense !== other)
    return { kind: 'tense', detail: `${tense} and ${other}` };
  return null;
};

function askedBy({ telling }: Side): string | undefined {
  return [...ASKING].find((word) => telling.has(word));
}

/** The tense of the auxiliaries that only this prompt has. */
function tenseOf({ telling }: Side): 'past' | 'present' | null {
  const has = (words: ReadonlySet<string>) => [...words].some((word) => telling.has(word));
  if (has(PAST)) return 'past';
  return has(PRESENT) ? 'present' : null;
}
