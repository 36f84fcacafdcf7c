/** What a conversation asks for: its subject, its place in the conversation, and the form of the answer. */
import { type SimulatedInput, type Turn, turnsOf } from '../conversation.ts';
import { withoutDirectives } from '../directive.ts';
import { ADJECTIVES, ARTICLES, FUNCTION_WORDS, LINKS, REQUEST_WORDS } from './common-words.ts';
import type { Language } from './markdown-data.ts';
import type { QuestionKind } from './question-sentences.ts';

export type Form = 'list' | 'steps' | 'table' | 'code' | 'headings' | 'summary' | 'poem';

export interface Question {
  readonly kind: QuestionKind;
  /** In quotation marks; safe within Markdown. */
  readonly phrase: string;
  /** A phrase of an earlier question; null where there is none. */
  readonly earlier: string | null;
  /** 1 for the first question of the conversation. */
  readonly turn: number;
  readonly images: number;
  /** A place that the question names; null where it names none. */
  readonly place: string | null;
  /** The last result of a tool, in quotation marks; null where the turn has none. */
  readonly toolResult: string | null;
  readonly forms: ReadonlySet<Form>;
  readonly language: Language;
  readonly sentences: number | null;
  readonly words: number | null;
  readonly length: 'short' | 'usual' | 'long';
}

const READ_CHARS = 4_000;
const PHRASE_WORDS = 5;
/** Words from the first run of a clause to the last. */
const STRETCH_WORDS = 7;
const PHRASE_CHARS = 40;
const RESULT_CHARS = 90;
const MOST_SENTENCES = 30;
const MOST_WORDS = 5_000;

const FORMS: Readonly<Record<Form, RegExp>> = {
  list: anyOf('lists?|bullets?|enumerate|pros and cons|checklist'),
  steps: anyOf('steps?|step-by-step|instructions|procedure|tutorial|recipe'),
  table: anyOf('tables?|tabular|spreadsheet'),
  code: anyOf(
    'code|snippet|json|yaml|sql|curl|typescript|javascript|python|bash|write (?:me )?a (?:function|program|script)',
  ),
  headings: anyOf('headings?|sections?|chapters?|report|essay|article|structured'),
  summary: anyOf('summary|summari[sz]e|tl;?dr|recap|in short'),
  poem: anyOf('poem|poetry|verses?|rhymes?|song|haiku|limerick|sonnet'),
};
const LANGUAGES: readonly (readonly [Language, RegExp])[] = [
  ['python', anyOf('python')],
  ['bash', anyOf('bash|shell|curl')],
  ['sql', anyOf('sql')],
  ['yaml', anyOf('yaml')],
  ['json', anyOf('json')],
];
const BRIEF = anyOf('brief|briefly|short|concise|one line');
const DETAILED = anyOf('long|detailed|in depth|in detail|thorough|essay|report|article');
const KINDS: readonly (readonly [QuestionKind, RegExp])[] = [
  ['why', /^\W*(why|how come)\b/i],
  ['how', /^\W*how\b(?! (many|much|old|long|far|often)\b)/i],
  ['compare', anyOf('compare|comparison|differences?|versus|vs|better than')],
  ['request', /^\W*(please )?(write|tell|give|explain|describe|make|show|draft|create|list|summari[sz]e)\b/i],
];
const COUNT_WORDS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** Whole words, in any script. */
function anyOf(words: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{M}\\d])(?:${words})(?![\\p{L}\\p{M}\\d])`, 'iu');
}

export function readQuestion({ system = '', messages }: SimulatedInput): Question {
  const turns = turnsOf(messages).filter(({ role, others }) => role === 'user' && others.length > 0);
  const last = turnsOf(messages).findLast(({ role }) => role === 'user');
  const texts = turns.map(plainText);
  const text = texts.at(-1) ?? '';
  const phrases = texts.map((words) => findPhrase(words));
  const own = phrases.at(-1) ?? null;
  const others = phrases.slice(0, -1).filter((phrase) => phrase !== null && phrase !== own);
  const earlier = others.at(-1) ?? null;
  const result = last?.toolResults.at(-1);
  const wanted = `${text}\n${plain(system)}`;
  return {
    kind: KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other',
    phrase: own ?? earlier ?? quote(firstWords(text)) ?? 'your message',
    earlier: own === null ? (others.at(-2) ?? null) : earlier,
    turn: Math.max(1, turns.length),
    images: last?.others.filter(({ type }) => type === 'image').length ?? 0,
    place:
      /\b(?:in|at|for|to|from|near)\s+(\p{Lu}[\p{L}'-]+(?:\s\p{Lu}[\p{L}'-]+)*)/u.exec(text)?.[1] ?? null,
    toolResult: result === undefined ? null : quote(inOneLine(result, RESULT_CHARS)),
    forms: new Set((Object.keys(FORMS) as Form[]).filter((form) => FORMS[form].test(wanted))),
    language: LANGUAGES.find(([, pattern]) => pattern.test(wanted))?.[0] ?? 'typescript',
    sentences: countOf(wanted, 'sentences?', MOST_SENTENCES),
    words: countOf(wanted, 'words', MOST_WORDS),
    length: BRIEF.test(wanted) ? 'short' : DETAILED.test(wanted) ? 'long' : 'usual',
  };
}

function plainText({ others }: Turn): string {
  return plain(others.map((part) => (part.type === 'text' ? part.text : '')).join('\n'));
}

/** Without directives, comments, code and addresses. */
function plain(text: string): string {
  return withoutDirectives(text.slice(0, READ_CHARS))
    .replace(/<!--.*?(-->|$)/gs, ' ')
    .replace(/```.*?(```|$)/gs, ' ')
    .replace(/\bhttps?:\S+/g, ' ')
    .trim();
}

/** "in three sentences", "200 words". */
function countOf(text: string, unit: string, most: number): number | null {
  const pattern = new RegExp(`\\b(\\d{1,4}|${COUNT_WORDS.join('|')})[ -](?:\\w+ )?${unit}\\b`, 'i');
  const [, written] = pattern.exec(text) ?? [];
  if (written === undefined) return null;
  const count = Number.isNaN(Number(written))
    ? COUNT_WORDS.indexOf(written.toLowerCase()) + 1
    : Number(written);
  return count >= 1 && count <= most ? count : null;
}

/** The phrase that looks most like the subject; null where no word does. */
function findPhrase(text: string): string | null {
  const line =
    text.match(/[^.!?\n]*\?/g)?.at(-1) ??
    text.split(/(?<=[.!])\s|\n/).find((line) => /\p{L}/u.test(line)) ??
    '';
  let best: Phrase | null = null;
  for (const clause of line.split(/[^\p{L}\p{M}\d'’ -]+/u)) {
    for (const candidate of phrasesOf(clause)) {
      if (best === null || candidate.score > best.score) best = candidate;
    }
  }
  return best === null ? null : quote(best.words);
}

interface Phrase {
  readonly words: string;
  readonly score: number;
}

/** Runs of words that may be the subject, and the stretch from the first of them to the last where it is short. */
function phrasesOf(clause: string): Phrase[] {
  const words = clause.split(/ +/).filter((word) => word !== '');
  const runs: { readonly start: number; readonly end: number }[] = [];
  let start: number | null = null;
  for (let index = 0; index <= words.length; index += 1) {
    const word = words[index]?.toLowerCase() ?? '';
    const isWithin = ADJECTIVES.has(word) || isSubjectWord(word) || (start !== null && LINKS.has(word));
    if (isWithin) start ??= index;
    else if (start !== null) {
      const end = LINKS.has(words[index - 1]?.toLowerCase() ?? '') ? index - 1 : index;
      const run = words.slice(start, end);
      if (run.some((part) => !ADJECTIVES.has(part.toLowerCase()))) runs.push({ start, end });
      start = null;
    }
  }
  const phrases = runs.map(
    (run): Phrase => phraseOf(words, run.start, Math.min(run.end, run.start + PHRASE_WORDS)),
  );
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined || first === last) return phrases;
  const stretch = phraseOf(words, first.start, last.end);
  const isRequest = words.slice(first.start, last.end).some((word) => REQUEST_WORDS.has(word.toLowerCase()));
  if (isRequest || last.end - first.start > STRETCH_WORDS || stretch.words.length > PHRASE_CHARS)
    return phrases;
  return [{ ...stretch, score: phrases.reduce((sum, { score }) => sum + score, 0) }, ...phrases];
}

function phraseOf(words: readonly string[], start: number, end: number): Phrase {
  const before = words[start - 1]?.toLowerCase() ?? '';
  const run = words.slice(start, end);
  const isNamed = before !== '' && run.some((word) => /^\p{Lu}/u.test(word));
  return {
    words: words.slice(ARTICLES.has(before) ? start - 1 : start, end).join(' '),
    score: 2 * Math.min(run.length, 3) + (FUNCTION_WORDS.has(before) ? 2 : 0) + (isNamed ? 2 : 0),
  };
}

function isSubjectWord(word: string): boolean {
  const isWord = /^\p{L}[\p{L}\p{M}'’-]*$/u.test(word) && word.length <= PHRASE_CHARS;
  return isWord && !FUNCTION_WORDS.has(word) && !REQUEST_WORDS.has(word);
}

function firstWords(text: string): string {
  return inOneLine(text.split(' ').slice(0, PHRASE_WORDS).join(' '), PHRASE_CHARS);
}

/** Cut between characters that a reader sees as one, and safe within Markdown. */
function inOneLine(text: string, most: number): string {
  const line = text.replace(/[*_`|<>#[\]\\“”"\s]+/gu, ' ').trim();
  if (line.length <= most) return line;
  let kept = '';
  for (const { segment } of new Intl.Segmenter('en').segment(line.slice(0, 2 * most))) {
    if (kept.length + segment.length > most) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

function quote(words: string): string | null {
  return words === '' ? null : `“${words}”`;
}
