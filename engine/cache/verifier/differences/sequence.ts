/** By author, then by title; by title, then by author. Open with thanks and end with the date; the other way round. */
import { type Difference, wordSet } from './difference.ts';

const SENTENCE = /[.!?](?=\s|$)|\n/;
const CLAUSE = /[,;:()]|\b(?:and|but)\b/;
/** After a comparison, it is a misspelt `than`. */
const THEN =
  /(?:(?<!\b(?:[a-z]+er|worse|more|less) )\b(?:and )?(?:then|afterwards|after that|followed by|finally|lastly)\b)|(?:\s(?:->|→|>)\s)/;
/** `HR first IT last` does not say where the one ends; `before or after` asks. */
const UNCLEAR = /\b(?:first|1st)\b.*\blast\b|\blast\b.*\b(?:first|1st)\b/;
const ASKING = /\bor (?:after|the other way|vice versa|the reverse)|\bafter\b.*\bor before\b/;
const WORD = /[\p{L}\p{N}]+/gu;
const BESIDE = wordSet(
  'a an the and by with to of in on it its them my your our his her their i you we he she they me us this that these ' +
    'those is are be am was were do does did can could will would should must may has have had please want give put go ' +
    'goes come comes order sequence one thing part section first last how what when where which who for from at as so',
);
/** Steps are named by few words: more of them belong to what stands around. */
const STEP_WORDS = 3;
const END_WORDS = 2;
/** Explain and explanation, apology and apologise begin with the same letters. */
const COMMON_LETTERS = 5;

/** Where a clause says that something comes, and the part before or after that, which names it. */
const FIRST = [
  /\b(?:start|begin|open)(?:s|ing|ning)?\b.*?\b(?:with|by|on|from)\b(?<after>.*)/,
  /^\s*first(?:ly)?\b(?<after>.*)/,
  /(?<before>.*)\b(?:first|at the (?:beginning|start|top))\s*$/,
];
const LAST = [
  /\b(?:end|finish|close|conclud)(?:e|s|es|ing)?\b.*?\b(?:with|by|on)\b(?<after>.*)/,
  /^\s*last(?:ly)?\b(?<after>.*)/,
  /(?<before>.*)\b(?:last|at the (?:end|bottom))\s*$/,
];

interface Sequence {
  readonly first: ReadonlySet<string>;
  readonly last: ReadonlySet<string>;
  /** `x y`: x comes before y. */
  readonly pairs: ReadonlySet<string>;
}

/** What comes later in the one prompt comes earlier in the other. */
export function differentSequence(prompt: string, other: string): Difference | null {
  const [own, theirs] = [sequenceOf(prompt), sequenceOf(other)];
  const turned =
    turnedPair(own.pairs, theirs.pairs) ??
    onlyIn(own.first, own.last, theirs.last, theirs.first) ??
    onlyIn(own.last, own.first, theirs.first, theirs.last);
  return turned === undefined ? null : { kind: 'order', detail: turned };
}

function turnedPair(own: ReadonlySet<string>, theirs: ReadonlySet<string>): string | undefined {
  return [...own].find((pair) => {
    const turned = pair.split(' ').reverse().join(' ');
    return theirs.has(turned) && !theirs.has(pair) && !own.has(turned);
  });
}

/** At this end in the one prompt, at the opposite end in the other. */
function onlyIn(
  own: ReadonlySet<string>,
  ownOpposite: ReadonlySet<string>,
  opposite: ReadonlySet<string>,
  same: ReadonlySet<string>,
): string | undefined {
  return [...own].find((word) => opposite.has(word) && !ownOpposite.has(word) && !same.has(word));
}

function sequenceOf(text: string): Sequence {
  const first = new Set<string>();
  const last = new Set<string>();
  const pairs = new Set<string>();
  for (const sentence of text.toLowerCase().split(SENTENCE)) {
    const steps = sentence
      .split(THEN)
      .map((step) => step.split(CLAUSE).filter((clause) => /\w/.test(clause)));
    addPairs(
      pairs,
      steps.map((clauses, at) =>
        at === 0 ? wordsOf(clauses.at(-1)).slice(-STEP_WORDS) : wordsOf(clauses[0]).slice(0, STEP_WORDS),
      ),
    );
    if (/\bbefore\b/.test(sentence) && ASKING.test(sentence)) continue;
    for (const clause of steps.flat()) {
      if (UNCLEAR.test(clause)) continue;
      for (const word of endOf(clause, FIRST)) first.add(word);
      for (const word of endOf(clause, LAST)) last.add(word);
      const [before, after, ...more] = clause.split(/\bbefore\b/);
      if (after !== undefined && more.length === 0) {
        addPairs(pairs, [wordsOf(before).slice(-END_WORDS), wordsOf(after).slice(0, END_WORDS)]);
      }
    }
  }
  return { first, last, pairs };
}

/** The words that a clause puts at this end. */
function endOf(clause: string, patterns: readonly RegExp[]): readonly string[] {
  for (const pattern of patterns) {
    const { before, after } = pattern.exec(clause)?.groups ?? {};
    if (after !== undefined) return wordsOf(after).slice(0, END_WORDS);
    if (before !== undefined) return wordsOf(before).slice(-END_WORDS);
  }
  return [];
}

function addPairs(pairs: Set<string>, steps: readonly (readonly string[])[]): void {
  for (const [at, earlier] of steps.entries()) {
    for (const later of steps.slice(at + 1).flat()) {
      for (const word of earlier) if (word !== later) pairs.add(`${word} ${later}`);
    }
  }
}

function wordsOf(text = ''): string[] {
  const words = (text.match(WORD) ?? []).filter((word) => !BESIDE.has(word));
  return words.map((word) => word.slice(0, COMMON_LETTERS));
}
