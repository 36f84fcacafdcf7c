/**
 * The text of an answer: about the question, and about how the system delivers this very answer. Everything is chosen
 * by the seed. Every sentence is whole; only an output cap cuts one.
 */
import { Chance } from './chance.ts';
import { writeParts } from './markdown-parts.ts';
import type { Question } from './question.ts';
import {
  ADVICE,
  AFTER_TOOLS,
  CLOSINGS,
  HONESTY,
  LATER_TURNS,
  OPENINGS,
  SAME_SUBJECT,
  THOUGHTS,
  WITH_IMAGES,
} from './question-sentences.ts';
import { countWords, SentenceSource } from './sentence-source.ts';
import { weaveSentence } from './woven-sentences.ts';

const LONG_WORDS = 420;
const USUAL_WORDS = 80;
const MORE_WORDS = 40;
/** A shorter rest of an answer gets no heading. */
const HEADED_WORDS = 40;
/** A shorter rest of an answer joins the paragraph before it. */
const REST_WORDS = 8;
const ORDINALS = [
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
];

interface AnswerPlan {
  readonly question: Question;
  readonly seed: number;
  /** The number of words; undefined leaves it to the question. */
  readonly words?: number | undefined;
  /** Makes this answer differ from its first words on from every other answer to the question; '' for none. */
  readonly draft: string;
}

export function composeAnswer({ question, seed, words, draft }: AnswerPlan): string {
  const chance = new Chance(seed);
  const composer = new Composer(chance, question, draft);
  const exactWords = words ?? question.words ?? null;
  if (exactWords !== null) return composer.exactly(exactWords);
  if (question.sentences !== null) return composer.sentences(question.sentences);
  return composer.freely();
}

/** What a model thinks before it answers, of exactly so many words. */
export function composeThoughts(question: Question, seed: number, words: number): string {
  const chance = new Chance(seed);
  const [first = '', ...others] = THOUGHTS;
  const sentences: string[] = [];
  let left = words;
  const next = [...chance.shuffle(others), first];
  while (left > 0) {
    const sentence = (next.pop() ?? weaveSentence(chance)).replaceAll('{phrase}', () => question.phrase);
    const length = countWords(sentence);
    if (length <= left) sentences.push(sentence);
    else sentences.push(...new SentenceSource(chance).exactly(left));
    left -= Math.min(left, length);
  }
  return sentences.join(' ');
}

class Composer {
  readonly #chance: Chance;
  readonly #question: Question;
  readonly #source: SentenceSource;
  readonly #draft: string;

  constructor(chance: Chance, question: Question, draft: string) {
    this.#chance = chance;
    this.#question = question;
    this.#source = new SentenceSource(chance);
    this.#draft = draft;
  }

  /** An answer of exactly so many words: what does not fit is left out, and short sentences fill the rest. */
  exactly(words: number): string {
    const blocks: string[] = [];
    let left = words;
    const take = (sentences: readonly string[]) => {
      const fitting: string[] = [];
      for (const sentence of sentences) {
        const length = countWords(sentence);
        if (length > left) continue;
        left -= length;
        fitting.push(sentence);
      }
      return fitting;
    };
    const intro = take(this.#introduction());
    if (intro.length > 0) blocks.push(intro.join(' '));
    for (const part of this.#parts()) blocks.push(...take([part]));
    while (left > 0) {
      const { title, sentences } = this.#paragraph();
      const [heading] = this.#hasHeadings() && left > HEADED_WORDS ? take([`## ${title}`]) : [];
      const fitting = left > 0 ? take(sentences) : [];
      // A few words that are left for the last paragraph complete it.
      const isLast = fitting.length < sentences.length || left < REST_WORDS;
      if (isLast) {
        fitting.push(...this.#source.exactly(left));
        left = 0;
      }
      const paragraph = fitting.join(' ');
      blocks.push(heading === undefined ? paragraph : `${heading}\n\n${paragraph}`);
    }
    return blocks.filter((block) => block !== '').join('\n\n');
  }

  sentences(count: number): string {
    const sentences = this.#introduction();
    while (sentences.length < count) sentences.push(...this.#paragraph().sentences);
    return [sentences.slice(0, count).join(' '), ...this.#parts()].join('\n\n');
  }

  freely(): string {
    const { turn, length } = this.#question;
    const isFirst = turn === 1;
    const blocks: string[] = [this.#introduction().join(' '), ...this.#parts()];
    if (length === 'short') return blocks.join('\n\n');
    const wanted = length === 'long' ? LONG_WORDS : USUAL_WORDS + this.#chance.below(MORE_WORDS);
    let written = countWords(blocks[0] ?? '');
    while (written < wanted) {
      const { title, sentences } = this.#paragraph();
      const paragraph = sentences.join(' ');
      written += countWords(paragraph);
      blocks.push(this.#hasHeadings() ? `## ${title}\n\n${paragraph}` : paragraph);
    }
    const closing = this.#chance.pick(CLOSINGS);
    blocks.push(isFirst ? `${this.#chance.pick(HONESTY)} ${closing}` : closing);
    return blocks.join('\n\n');
  }

  #introduction(): string[] {
    const { kind, turn, earlier, images, toolResult } = this.#question;
    const sentences = this.#draft === '' ? [] : [`This is draft ${this.#draft} of the answer.`];
    sentences.push(this.#chance.pick(OPENINGS[kind]));
    if (turn > 1) sentences.push(this.#chance.pick(earlier === null ? SAME_SUBJECT : LATER_TURNS));
    if (toolResult !== null) sentences.push(this.#chance.pick(AFTER_TOOLS));
    if (images > 0) sentences.push(this.#chance.pick(WITH_IMAGES));
    sentences.push(this.#chance.pick(ADVICE));
    return sentences.map((sentence) => this.#fill(sentence));
  }

  #parts(): string[] {
    return writeParts(this.#chance, this.#question);
  }

  #paragraph() {
    const { title, sentences } = this.#source.paragraph();
    return { title, sentences: sentences.map((sentence) => this.#fill(sentence)) };
  }

  #hasHeadings(): boolean {
    return this.#question.forms.has('headings');
  }

  #fill(sentence: string): string {
    const { phrase, earlier, turn, images, toolResult } = this.#question;
    const values: Readonly<Record<string, string>> = {
      phrase,
      earlier: earlier ?? '',
      turn: ordinalOf(turn),
      images: images === 1 ? 'an image' : `${images} images`,
      result: toolResult ?? '',
    };
    return sentence.replace(/\{(\w+)\}/g, (slot, name: string) => values[name] ?? slot);
  }
}

function ordinalOf(turn: number): string {
  const suffix = turn % 100 > 10 && turn % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][turn % 10] ?? 'th');
  return ORDINALS[turn - 1] ?? `${turn}${suffix}`;
}
