/** Finds the token of the other prompt that means the same. Tokens without such a counterpart are the difference. */
import type { Lexicon } from '../lexicon.ts';
import type { PromptReading, Token } from '../read-prompt.ts';
import type { WordNet } from '../wordnet.ts';

type Relation = 'equal' | 'synonym' | 'derived';

interface AlignedPair {
  readonly left: number;
  readonly right: number;
  readonly relation: Relation;
}

export interface Alignment {
  readonly left: PromptReading;
  readonly right: PromptReading;
  readonly pairs: readonly AlignedPair[];
  /** Tokens that have no counterpart and cannot be left out. */
  readonly onlyLeft: readonly Token[];
  readonly onlyRight: readonly Token[];
}

interface RelationReading {
  /** Only meanings of our own lexicon count, not those of the dictionary. */
  readonly isStrict: boolean;
  /** The agent of an action counts as the action. */
  readonly withAgents: boolean;
}

export interface Words {
  relation(a: Token, b: Token, reading: RelationReading): Relation | null;
  areOpposites(a: string, b: string): boolean;
}

/** The most that the ranks of two senses may add up to for their words to be synonyms; common senses rank low. */
const SENSE_RANKS = 1;
/** An agent is not the action: employ, employer. */
const AGENT = /(?:er|or|ee|ist|ian|ant)$/;
const OPPOSING_PREFIX = /^(?:un|dis|non|in|im|ir|il|de|anti|mis|under|over)/;
/** May be missing in one prompt: they add nothing to a request that has all other words. */
const LIGHT = new Set(
  'have happen occur exist use take_place possible keep get make need choose look seem appear typical usual common'.split(
    ' ',
  ),
);
/** Says what kind of thing a name is, and may be left out beside it: the Amazon river. */
const CLASSIFIERS = new Set(
  'river algorithm novel book movie film song mountain lake island planet language framework library software program app sentence text phrase word'.split(
    ' ',
  ),
);

export function createWords(wordNet: WordNet, lexicon: Lexicon): Words {
  const areSynonyms = (a: string, b: string) => {
    const forth = wordNet.relations(a).synonyms.get(b);
    const back = wordNet.relations(b).synonyms.get(a);
    return forth !== undefined && back !== undefined && forth + back <= SENSE_RANKS;
  };
  const isDerived = (a: string, b: string, withAgents: boolean) =>
    (withAgents || !(AGENT.test(a) || AGENT.test(b))) &&
    (wordNet.relations(a).derived.has(b) || wordNet.relations(b).derived.has(a));
  const pertains = (a: string, b: string) =>
    wordNet.relations(a).pertains.has(b) || wordNet.relations(b).pertains.has(a);
  const shareMeaning = (a: string, b: string) => {
    const ofA = lexicon.meanings.get(a);
    const ofB = lexicon.meanings.get(b);
    return ofA !== undefined && ofB !== undefined && [...ofA].some((line) => ofB.has(line));
  };
  const areOpposites = (a: string, b: string) => {
    const forth = wordNet.relations(a);
    if (forth.antonyms.has(b) || wordNet.relations(b).antonyms.has(a)) return true;
    const bareA = a.replace(OPPOSING_PREFIX, '');
    const bareB = b.replace(OPPOSING_PREFIX, '');
    return (
      (bareA !== a && bareA === b) ||
      (bareB !== b && bareB === a) ||
      (bareA !== a && bareB !== b && bareA === bareB && a !== b)
    );
  };
  return {
    areOpposites,
    relation(a, b, { isStrict, withAgents }) {
      if (a.lemma === b.lemma || a.word === b.word) return 'equal';
      if (a.kind !== 'word' || b.kind !== 'word') return null;
      if (areOpposites(a.lemma, b.lemma)) return null;
      if (shareMeaning(a.lemma, b.lemma)) return 'synonym';
      if (isStrict) return null;
      if (pertains(a.lemma, b.lemma)) return 'derived';
      // A name has no synonyms, even if its word has some in the dictionary.
      if (a.isName || b.isName) return null;
      if (areSynonyms(a.lemma, b.lemma)) return 'synonym';
      return isDerived(a.lemma, b.lemma, withAgents) ? 'derived' : null;
    },
  };
}

export function align(left: PromptReading, right: PromptReading, words: Words): Alignment {
  const pairs: AlignedPair[] = [];
  // Two things whose difference is in question have similar meanings already.
  const isStrict = left.frames.includes('<differ>') || right.frames.includes('<differ>');
  // "Who invented it" and "its inventor" ask the same.
  const withAgents = left.frames.includes('<who>') && right.frames.includes('<who>');
  const reading = { isStrict, withAgents };
  const { first, last } = commonEnds(left.tokens, right.tokens);
  const free = ({ tokens }: PromptReading) => new Set([...tokens.keys()].slice(first, tokens.length - last));
  const [freeLeft, freeRight] = [free(left), free(right)];
  for (let index = 0; index < first; index += 1) pairs.push({ left: index, right: index, relation: 'equal' });
  for (let index = last; index > 0; index -= 1) {
    const [ofLeft, ofRight] = [left.tokens.length - index, right.tokens.length - index];
    pairs.push({ left: ofLeft, right: ofRight, relation: 'equal' });
  }
  for (const wanted of ['equal', 'synonym', 'derived'] as const) {
    for (const index of [...freeLeft]) {
      const token = left.tokens[index];
      if (token === undefined) continue;
      const matches = [...freeRight].filter((other) => {
        const counterpart = right.tokens[other];
        return counterpart !== undefined && words.relation(token, counterpart, reading) === wanted;
      });
      const [first] = matches;
      if (first === undefined) continue;
      const match = matches.reduce(
        (best, other) =>
          similarityOf(left, index, right, other) > similarityOf(left, index, right, best) ? other : best,
        first,
      );
      pairs.push({ left: index, right: match, relation: wanted });
      freeLeft.delete(index);
      freeRight.delete(match);
    }
  }
  const rest = (free: ReadonlySet<number>, { tokens }: PromptReading) =>
    tokens.filter((_, index) => free.has(index));
  const isDispensable = (token: Token, { tokens }: PromptReading) =>
    token.isOptional ||
    (LIGHT.has(token.lemma) && !token.isName && !token.isNoun) ||
    classifies(token, tokens) ||
    isRepeated(token, tokens);
  const [ofLeft, ofRight] = [rest(freeLeft, left), rest(freeRight, right)];
  const needed = (tokens: readonly Token[], reading: PromptReading) =>
    tokens.filter((token) => !isDispensable(token, reading));
  // A dispensable word counts if the other prompt has another one in its place.
  const isReplaced =
    needed(ofLeft, left).length < ofLeft.length && needed(ofRight, right).length < ofRight.length;
  return {
    left,
    right,
    pairs,
    onlyLeft: isReplaced ? ofLeft : needed(ofLeft, left),
    onlyRight: isReplaced ? ofRight : needed(ofRight, right),
  };
}

/** How many tokens both prompts have in common at their start and at their end: these need no search. */
function commonEnds(left: readonly Token[], right: readonly Token[]): { first: number; last: number } {
  const most = Math.min(left.length, right.length);
  let first = 0;
  while (first < most && left[first]?.word === right[first]?.word) first += 1;
  let last = 0;
  while (last < most - first && left.at(-1 - last)?.word === right.at(-1 - last)?.word) last += 1;
  return { first, last };
}

/** How similar two places are: the neighbours of a repeated word decide which occurrence is meant. */
function similarityOf(left: PromptReading, at: number, right: PromptReading, there: number): number {
  const isSame = (step: number) => left.tokens[at + step]?.lemma === right.tokens[there + step]?.lemma;
  const isSameWord = left.tokens[at]?.word === right.tokens[there]?.word;
  return Number(isSame(-1)) + Number(isSame(1)) + Number(isSameWord) / 2;
}

/** True if another token of the prompt has the same lemma. */
function isRepeated(token: Token, tokens: readonly Token[]): boolean {
  return token.kind === 'word' && tokens.some((other) => other !== token && other.lemma === token.lemma);
}

function classifies(token: Token, tokens: readonly Token[]): boolean {
  if (!CLASSIFIERS.has(token.lemma)) return false;
  const at = tokens.indexOf(token);
  return [tokens[at - 1], tokens[at + 1]].some(
    (neighbour) => neighbour?.isName === true || neighbour?.kind === 'quote',
  );
}
