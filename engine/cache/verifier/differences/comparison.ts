/** A comparison, or another superlative: what is the fastest, what is faster than. */
import type { Comparison, Side } from '../compare-facts.ts';
import type { Facts, FactWord } from '../read-facts.ts';
import type { Veto } from './difference.ts';

/** Not `more than 5`, `other than that`, `rather than`, `than usual`. */
const COMPARING =
  /\b(?<!(?:rather|other|else|more often|later|earlier|sooner|newer|older) )than (?!#?\d|(?:that|this|just|usual|usually|normal|expected|before|i|we|it|\w+ (?:of )?\d)\b)/;
const ALSO_COMPARING =
  /\b(?:than|better|worse|more|less|versus|compare\w*|comparison|differ\w*|or|over|under|above|below|beyond|exceed\w*|beat\w*|past|ahead|behind|sav\w+|(?:larg|bigg|small|high|low|fast|slow|cheap|old|new|long|short|earli|lat|great|heavi|light|strong|easi|hard|saf|clos|few|warm|cold|hott|young|tall|deep|quick|rich|poor|near)er)\b/;
const SUPERLATIVE = /^\p{L}{2,}est$/u;
const NO_SUPERLATIVE =
  /^(?:(?:con|pro|at|de)?test|(?:re|con|in)?quest|interest|invest|digest|suggest|guest|(?:mid)?west|rest|forest|harvest|honest|modest|manifest|arrest|nest|chest|breast|priest|latest|newest|nearest|easiest|quickest|fastest|simplest|safest)$/;
const ALSO_SUPERLATIVE =
  /\b(?:max\w*|min\w*|top|main\w*|limit|most|least|best|worst|first|last|latest|newest|recent\w*|record|favou?rite|up to|ever|cheap\w*|early|late|soon|\w{2,}est|ascending|descending|reverse|prefer\w*|recommend\w*|how (?:big|many|much|heavy|long|large|high|far|old|soon)|from|begin\w*|start\w*)\b/;

/** Below it, the other prompt may compare in other words. */
const ALIKE = 0.4;

export const comparison: Veto = (compared) => {
  const { left, right, overlap } = compared;
  for (const [own, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (overlap >= ALIKE && COMPARING.test(own.facts.text) && !ALSO_COMPARING.test(other.facts.text)) {
      return { kind: 'comparison', detail: 'than' };
    }
    const [superlative] = superlativesOf(own);
    if (superlative !== undefined && isAlone(superlative, other.facts, compared)) {
      return { kind: 'comparison', detail: superlative.word };
    }
  }
  return null;
};

function superlativesOf({ words }: Side): FactWord[] {
  return words.filter(({ word }) => SUPERLATIVE.test(word) && !NO_SUPERLATIVE.test(word));
}

function isAlone({ word }: FactWord, other: Facts, { isTight }: Comparison): boolean {
  const base = word.replace(/i?est$/, '').slice(0, 4);
  return (
    isTight || !(ALSO_SUPERLATIVE.test(other.text) || other.words.some(({ lemma }) => lemma.startsWith(base)))
  );
}
