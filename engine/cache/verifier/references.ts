/**
 * Turns that refer to something outside of themselves: "cancel it", "and in Berlin?", "do the same for the second one".
 * Alone they mean nothing: they say only together with the conversation what is asked.
 */

/** Words that stand for what was named before, by what they can stand for. */
const POINTING: Readonly<Record<string, RegExp>> = {
  thing: /\b(?:it|its|itself|this|that)\b/iu,
  things: /\b(?:these|those|them|they|their|theirs)\b/iu,
  him: /\b(?:he|him|his)\b/iu,
  her: /\b(?:she|her|hers)\b/iu,
};
/** Words that choose among several that were named: which one they mean depends on how these were worded. */
const CHOOSING =
  /\b(?:(?:first|second|third|fourth|fifth|1st|2nd|3rd|last|latter|former|next|previous|others?|another|remaining)(?: ones?)?(?=\W*$|[,.;:?!)]|\s+(?:as|and|or|but|please|pls|too|again|instead|in|on|to|for|with|from|is|are|was|were|does|do|wants?)\b)|(?:this|that|these|those) ones?)/giu;
/** Opposite words that are easily taken for one, as a short turn has little else. */
const OPPOSITES: readonly (readonly [RegExp, RegExp])[] = [
  [/\bfrom\b/iu, /\bto\b/iu],
  [/\bwith\b/iu, /\bwithout\b/iu],
  [/\bbefore\b/iu, /\bafter\b/iu],
  [/\bover\b|\babove\b/iu, /\bunder\b|\bbelow\b/iu],
  [/\bin\b/iu, /\bout\b/iu],
  [/\bon\b/iu, /\boff\b/iu],
  [/\bup\b/iu, /\bdown\b/iu],
  [/\bfor\b/iu, /\bagainst\b/iu],
  [/\byes\b/iu, /\bno\b|\bnope\b/iu],
  // Also where more follows: yes, no problem.
  [/^\W*(?:yes|yeah|yep|yup)\b/iu, /^\W*(?:no|nope|nah)\b/iu],
  [/\bmore\b/iu, /\bless\b/iu],
  [/\bhere\b/iu, /\bthere\b/iu],
];
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}’']*/gu;
/** A turn that begins so adds to the turn before. */
const CONTINUES = /^\W*(?:and|but|or|so|then|also|plus|what about|how about|what if|same|ditto)\b/iu;
/** Requests that name nothing. */
const BARE =
  /^\W*(?:yes|yep|yeah|yup|no|nope|ok|okay|k|sure|fine|right|correct|exactly|great|thanks|thank you|please|go|do|stop|wait|next|back|undo|redo|retry|repeat|continue|proceed|resume|finish|cancel|confirm|approve|delete|remove|send|submit|save|skip|why|how|when|where|who|what|really|seriously|more|less|shorter|longer|simpler|elaborate|explain|expand|summari[sz]e|translate|rephrase|rewrite|shorten|simplify|go on|go ahead|keep going|try|do so|carry on|tell me|show me|say|again|not yet|never ?mind|never|always|maybe|one more time)(?:\W+(?:yes|no|please|thanks|thank you|now|again|on|ahead|so|not|more|further|in detail|details?|once|one more time|why|me|up|then|ok|okay|a bit|a little|much|all|everything|harder|else|with|from|where you (?:left off|stopped)))*\W*$/iu;
/** What a first turn can point to only outside of itself. */
const POINTS_OUTSIDE =
  /\b(?:it|this|that|these|those|them|they|he|him|she|her|the (?:other|same|former|latter|previous|first|second|third|last|next|remaining)(?: ones?| things?)?(?=\W*$))\b/iu;
/** `is it safe to swim`, `how long does it take`: this `it` refers to nothing. */
const EMPTY_IT =
  /\bis it (?:\w+ ){0,2}(?:to|that|if|when|for|in|on|at)\b|\bit (?:takes?|costs?|is|was|means?) (?:\w+ ){0,2}(?:to|that)\b|\b(?:does|will|would|did) it (?:take|cost|mean|rain|snow)\b|\b(?:time|date|day|hot|cold|raining|snowing|sunny) is it\b/iu;
const LEAN = new Set(
  (
    'a an the i me my we us our you your is are was were be been am do does did have has had can could would should will ' +
    'may might must please thanks what which who when where why how and or but not no yes to of in on at for from with ' +
    'by about as if so then than just tell show give make get let want need like much many long often any some all ' +
    "don't doesn't isn't what's how's it's that's i'm can't hi hello hey ok okay now it its this that these those them " +
    'they their he him his she her hers one ones other same again also too else'
  ).split(' '),
);
/** The most words that say something by themselves in a first turn that refers to something outside. */
const FEW_WORDS = 2;
/** Between a verb and the word that points to its object. */
const NEAR_OBJECT = /^\s*(?:(?:to|for|of|with|about|up|on|off|out|down|all)\s+)*$/iu;

/** True if a first turn refers to something that is not there, so that no other words can ask the same. */
export function refersToNothing(turn: string): boolean {
  if (BARE.test(turn)) return true;
  if (contentOf(turn).length > FEW_WORDS) return false;
  if (CONTINUES.test(turn)) return true;
  const place = EMPTY_IT.test(turn) ? -1 : turn.search(POINTS_OUTSIDE);
  if (place < 0) return false;
  const before = turn.slice(0, place);
  const [named, ...more] = contentOf(before);
  if (named === undefined) return true;
  // `cancel it` has a verb before; `Pluto, is it a planet` names what it refers to.
  return (
    more.length === 0 &&
    NEAR_OBJECT.test(before.slice(before.toLowerCase().lastIndexOf(named) + named.length))
  );
}

/** The words of a turn that say something by themselves. */
function contentOf(turn: string): readonly string[] {
  return (turn.toLowerCase().match(WORD) ?? []).filter((word) => !LEAN.has(word));
}

/**
 * Whether two later turns can refer to the same. The turns before are the same in what they ask, as is every answer:
 * what is left is what the words choose among them.
 */
export function referAlike(turn: string, other: string): boolean {
  if (chosenIn(turn) !== chosenIn(other)) return false;
  if (OPPOSITES.some((pair) => isOpposite(pair, turn, other))) return false;
  const [own, theirs] = [pointedIn(turn), pointedIn(other)];
  // One may name what the other points to. But two that both point must be able to mean the same.
  return own.length === 0 || theirs.length === 0 || own.some((kind) => theirs.includes(kind));
}

/** True for a turn that chooses among what was named before. */
export function choosesAmong(turn: string): boolean {
  return chosenIn(turn) !== '';
}

const WRITTEN_OUT: Readonly<Record<string, string>> = { '1st': 'first', '2nd': 'second', '3rd': 'third' };

function chosenIn(turn: string): string {
  const chosen = (turn.toLowerCase().match(CHOOSING) ?? []).map((words) => words.replace(/ ones?$/, ''));
  return chosen
    .map((word) => WRITTEN_OUT[word] ?? word)
    .sort()
    .join(' ');
}

function pointedIn(turn: string): readonly string[] {
  return Object.keys(POINTING).filter((kind) => POINTING[kind]?.test(turn));
}

function isOpposite([left, right]: readonly [RegExp, RegExp], turn: string, other: string): boolean {
  const onlyLeft = (text: string) => left.test(text) && !right.test(text);
  const onlyRight = (text: string) => right.test(text) && !left.test(text);
  return (onlyLeft(turn) && onlyRight(other)) || (onlyRight(turn) && onlyLeft(other));
}

/** Lines of a speaker, as in a chat that was pasted into one turn. */
const SPEAKER =
  /^[ \t]*(?:[-*>#]+[ \t]*)?(?:\*\*)?(?:user|human|customer|client|caller|assistant|ai|bot|chatbot|agent|support|system|me|you|q|a|question|answer|doctor|patient|teacher|student|interviewer|candidate)(?:\*\*)?[ \t]*:/gimu;

/** True for a turn that quotes a conversation: who said what there is beyond the rules. */
export function quotesConversation(turn: string): boolean {
  return (turn.match(SPEAKER)?.length ?? 0) >= 2;
}
