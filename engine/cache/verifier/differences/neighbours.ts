/**
 * Two things that have taken each other's neighbours, in prompts that differ in more than that: `delete duplicate rows,
 * keeping the oldest` and `delete the oldest rows, keeping the duplicates`. Moved phrases take their neighbours along.
 */
import { type Difference, wordSet } from './difference.ts';
import { MOST_WORDS, SYMMETRIC } from './exchange.ts';

const WORD = /[\p{L}\p{N}](?:[^\s,;:!?()"“”]*[\p{L}\p{N}%])?|[,;:!?()]|\.(?=\s|$)/gu;
const ARTICLES = wordSet('a an the');
const FUNCTION_WORDS = wordSet(
  'i you he she it we they me us him them my your his her its our their and or but so as at by for from in into of off ' +
    'on onto out over to up with without about after before between during through is are was were be been being am do ' +
    'does did have has had can could may might must shall should will would not no yes please thanks thank hi hello hey ' +
    'this that these those there here what which who whom whose how when where why if then than while until since ' +
    'because just also too very really only some any all each every both own get give make tell let want need know help ' +
    'write say ask use go come put take keep one way thing much many',
);
/** Between measures: 100 x 150. */
const TIMES = 'x';
const COMPARING = /\b(?:compar|differ|similar|versus|vs\b|between|either|than\b|then\b)/i;
/** Of the four neighbours of two words, so many belong to the other one; this many more than stay. */
const FEWEST_TAKEN = 3;
const FEWEST_MORE = 2;

interface Grammar {
  readonly baseOf: (word: string) => string;
  readonly areSynonyms: (word: string, other: string) => boolean;
}

interface Occurrence {
  readonly at: number;
  readonly there: number;
  readonly word: string;
}

export function differentNeighbours(
  prompt: string,
  other: string,
  { baseOf, areSynonyms }: Grammar,
): Difference | null {
  if (COMPARING.test(prompt) || COMPARING.test(other)) return null;
  const wordsOf = (text: string) =>
    (text.toLowerCase().match(WORD) ?? []).filter((word) => !ARTICLES.has(word)).map(baseOf);
  const [own, theirs] = [wordsOf(prompt), wordsOf(other)];
  if (own.length > MOST_WORDS || theirs.length > MOST_WORDS) return null;
  const common = commonOf(own, theirs);
  for (const [index, first] of common.entries()) {
    for (const second of common.slice(index + 1)) {
      // Beside each other, they are a compound: the size of the file, the file size.
      if (second.at - first.at < 2 || first.there - second.there < 2) continue;
      const between = [own.slice(first.at + 1, second.at), theirs.slice(second.there + 1, first.there)];
      if (between.some((words) => words.every((word) => word === TIMES || SYMMETRIC.has(word)))) continue;
      if (areSynonyms(first.word, second.word)) continue;
      // In the passive, who does it comes last.
      if ([own[first.at - 1], own[second.at - 1]].includes('by')) continue;
      if ([theirs[first.there - 1], theirs[second.there - 1]].includes('by')) continue;
      if (haveTaken(own, theirs, first, second)) {
        return { kind: 'roles', detail: `${first.word} and ${second.word}` };
      }
    }
  }
  return null;
}

/** The words that tell things apart and that each prompt has once, in the order of the first one. */
function commonOf(own: readonly string[], theirs: readonly string[]): Occurrence[] {
  return own.flatMap((word, at) => {
    const isOnce =
      own.indexOf(word) === own.lastIndexOf(word) && theirs.indexOf(word) === theirs.lastIndexOf(word);
    const there = theirs.indexOf(word);
    return isOnce && there >= 0 && /[\p{L}\p{N}]/u.test(word) && !FUNCTION_WORDS.has(word)
      ? [{ at, there, word }]
      : [];
  });
}

function haveTaken(
  own: readonly string[],
  theirs: readonly string[],
  first: Occurrence,
  second: Occurrence,
): boolean {
  const isSame = (at: number, there: number) => {
    const word = own[at];
    const isNeighbour = word !== undefined && /[\p{L}\p{N}]/u.test(word);
    return Number(isNeighbour && word === theirs[there] && word !== first.word && word !== second.word);
  };
  const taken = [isSame(first.at - 1, second.there - 1), isSame(first.at + 1, second.there + 1)];
  const takenBySecond = [isSame(second.at - 1, first.there - 1), isSame(second.at + 1, first.there + 1)];
  const kept = [first, second].flatMap(({ at, there }) => [
    isSame(at - 1, there - 1),
    isSame(at + 1, there + 1),
  ]);
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  const all = sum(taken) + sum(takenBySecond);
  return all >= FEWEST_TAKEN && all - sum(kept) >= FEWEST_MORE;
}
