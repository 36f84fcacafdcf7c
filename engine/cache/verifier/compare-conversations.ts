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

/**
 * @param untilMs of `performance.now()`; conversations that are not reached by then count as different.
 * @returns one ruling for each of the others, in their order.
 */
export function compareConversations(
  verifier: Verifier,
  questions: readonly string[],
  others: readonly (readonly string[])[],
  untilMs: number,
): Ruling[] {
  return others.map((theirs) =>
    performance.now() > untilMs ? 'different' : rulingOn(verifier, questions, theirs),
  );
}

function rulingOn(verifier: Verifier, questions: readonly string[], theirs: readonly string[]): Ruling {
  if (questions.length !== theirs.length) return 'different';
  if (questions.every((question, turn) => question === theirs[turn])) return 'same';
  // The same turns in another order.
  if (JSON.stringify([...questions].sort()) === JSON.stringify([...theirs].sort())) return 'different';
  if (!isEnglish(verifier, questions) || !isEnglish(verifier, theirs)) {
    return haveSameWords(questions, theirs) ? 'same' : 'different';
  }
  let weakest: Ruling = 'same';
  for (const turn of questions.keys()) {
    const ruling = rulingOnTurn(verifier, turn, [questions, theirs]);
    if (ruling === 'different') return 'different';
    if (rulings.indexOf(ruling) > rulings.indexOf(weakest)) weakest = ruling;
  }
  return weakest;
}

type Conversations = readonly [readonly string[], readonly string[]];

function rulingOnTurn(verifier: Verifier, turn: number, [questions, theirs]: Conversations): Ruling {
  const [question, other] = [questions[turn] ?? '', theirs[turn] ?? ''];
  const isOnlyItself = (text: string) => quotesConversation(text) || (turn === 0 && refersToNothing(text));
  if (isOnlyItself(question) || isOnlyItself(other))
    return hasSameWords(question, other) ? 'same' : 'different';
  const foreignIn = (text: string) => verifier.readLanguage(text).foreign.join('\n');
  if (foreignIn(question) !== foreignIn(other)) return 'different';
  const isAlike = turn === 0 || (referAlike(question, other) && choosesAlike(turn, [questions, theirs]));
  return isAlike ? verifier.verify(question, other).verdict : 'different';
}

/** Which one is the second of several depends on how the turns before named them. */
function choosesAlike(turn: number, [questions, theirs]: Conversations): boolean {
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
