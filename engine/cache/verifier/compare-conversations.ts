/**
 * Compares conversations turn by turn: they ask the same if each turn of the user does. A turn that refers back is the
 * same only if what it refers to is. A prompt in another language, and one that refers to nothing, has no other words.
 */
import { hasSameWords, haveSameWords } from '../same-words.ts';
import { choosesAmong, quotesConversation, referAlike, refersToNothing } from './references.ts';
import type { Verifier } from './verify.ts';

/** What rules conclude: of one turn as its verdict, of a conversation the weakest of its turns. */
export const rulings = ['same', 'aligned', 'unsure', 'different'] as const;
export type Ruling = (typeof rulings)[number];

/** The user's turns of both conversations. */
export type ConversationPair = readonly [questions: readonly string[], theirs: readonly string[]];

export interface Ruled {
  readonly ruling: Ruling;
  /** Both in the same writing, which is what a model reads. */
  readonly pair: ConversationPair;
}

/**
 * @param untilMs of `performance.now()`; conversations that are not reached by then count as different.
 * @returns what is concluded of each of the others, in their order.
 */
export function compareConversations(
  verifier: Verifier,
  questions: readonly string[],
  others: readonly (readonly string[])[],
  untilMs: number,
): Ruled[] {
  return others.map((theirs) => {
    const asWritten: Ruled = { ruling: 'different', pair: [questions, theirs] };
    if (performance.now() > untilMs || questions.length !== theirs.length) return asWritten;
    if (questions.every((question, turn) => question === theirs[turn]))
      return { ...asWritten, ruling: 'same' };
    const turns = questions.map((question, turn) => verifier.writeAlike(question, theirs[turn] ?? ''));
    const pair: ConversationPair = [turns.map(([own]) => own), turns.map(([, other]) => other)];
    return { ruling: rulingOn(verifier, asWritten.pair, pair), pair };
  });
}

function rulingOn(
  verifier: Verifier,
  [questions, theirs]: ConversationPair,
  alike: ConversationPair,
): Ruling {
  // The same turns in another order.
  if (JSON.stringify([...questions].sort()) === JSON.stringify([...theirs].sort())) return 'different';
  if (!isEnglish(verifier, alike[0]) || !isEnglish(verifier, alike[1])) {
    return haveSameWords(questions, theirs) ? 'same' : 'different';
  }
  let weakest: Ruling = 'same';
  for (const turn of questions.keys()) {
    const ruling = rulingOnTurn(verifier, turn, [questions, theirs], alike);
    if (ruling === 'different') return 'different';
    if (rulings.indexOf(ruling) > rulings.indexOf(weakest)) weakest = ruling;
  }
  return weakest;
}

function rulingOnTurn(
  verifier: Verifier,
  turn: number,
  pair: ConversationPair,
  alike: ConversationPair,
): Ruling {
  const [question, other] = turnOf(pair, turn);
  const isOnlyItself = (text: string) => quotesConversation(text) || (turn === 0 && refersToNothing(text));
  if (isOnlyItself(question) || isOnlyItself(other))
    return hasSameWords(question, other) ? 'same' : 'different';
  const written = turnOf(alike, turn);
  const [foreign, foreignToo] = written.map((text) => verifier.readLanguage(text).foreign.join('\n'));
  if (foreign !== foreignToo) return 'different';
  const isAlike = turn === 0 || (referAlike(question, other) && choosesAlike(turn, pair));
  return isAlike ? verifier.verify(...written).verdict : 'different';
}

function turnOf([questions, theirs]: ConversationPair, turn: number): readonly [string, string] {
  return [questions[turn] ?? '', theirs[turn] ?? ''];
}

/** Which one is the second of several depends on how the turns before named them. */
function choosesAlike(turn: number, [questions, theirs]: ConversationPair): boolean {
  const isByOrder = choosesAmong(questions[turn] ?? '') || choosesAmong(theirs[turn] ?? '');
  return !isByOrder || haveSameWords(questions.slice(0, turn), theirs.slice(0, turn));
}

/** A turn of a few words, such as a name, is read with the others. */
const LEAST_CHARS = 20;

function isEnglish({ readLanguage }: Pick<Verifier, 'readLanguage'>, questions: readonly string[]): boolean {
  const long = questions.filter((question) => question.length >= LEAST_CHARS);
  const read = long.length === questions.length ? questions : [...long, questions.join('\n')];
  return read.every((question) => readLanguage(question).isEnglish);
}
