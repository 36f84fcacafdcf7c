/** Hands out the sentences of the pool, none twice before all were used, and texts of an exact number of words. */
import type { Chance } from './chance.ts';
import { SHORT_SENTENCES } from './question-sentences.ts';
import { TOPICS, type Topic } from './sentences.ts';
import { weaveSentence } from './woven-sentences.ts';

/** A sentence of the pool is chosen to fill a text exactly only where as much as this is left. */
const FILLED_EXACTLY = 45;
/** An answer begins with one of the first topics of the pool: what happens to every generation. */
const CENTRAL_TOPICS = 6;

const BY_LENGTH: ReadonlyMap<number, readonly string[]> = Map.groupBy(
  TOPICS.flatMap(({ sentences }) => sentences),
  countWords,
);

export class SentenceSource {
  readonly #chance: Chance;
  readonly #used = new Set<string>();
  #topics: Topic[] = [];
  #isRepeating = false;
  #topic: { title: string; leads: string[]; sentences: string[] } | undefined;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** The next paragraph: three to six sentences of one topic, the last of them put together. */
  paragraph(): { readonly title: string; readonly sentences: readonly string[] } {
    const topic = this.#nextTopic();
    const lead = topic.leads.pop();
    // Once all sentences were used, a paragraph has one of them among new ones.
    const taken = topic.sentences.splice(0, this.#isRepeating ? 1 : 2 + this.#chance.below(3));
    for (const sentence of taken) this.#used.add(sentence);
    const woven = Array.from({ length: this.#isRepeating ? 3 : 1 }, () => this.#weave());
    return { title: topic.title, sentences: [...(lead === undefined ? [] : [lead]), ...taken, ...woven] };
  }

  /** Whole sentences of exactly so many words together. */
  exactly(words: number): string[] {
    const sentences: string[] = [];
    let left = words;
    while (left > 0) {
      const sentence = this.#fitting(left);
      this.#used.add(sentence);
      sentences.push(sentence);
      left -= countWords(sentence);
    }
    return sentences;
  }

  #fitting(words: number): string {
    if (words < SHORT_SENTENCES.length) return this.#unused(SHORT_SENTENCES[words] ?? []) ?? 'Yes.';
    const most = words > FILLED_EXACTLY ? FILLED_EXACTLY / 3 : words;
    for (let length = Math.floor(most); length > 0; length -= 1) {
      const sentence = this.#unused(BY_LENGTH.get(length) ?? []);
      if (sentence !== undefined) return sentence;
    }
    return this.#chance.pick(SHORT_SENTENCES[1] ?? []);
  }

  #unused(sentences: readonly string[]): string | undefined {
    const unused = sentences.filter((sentence) => !this.#used.has(sentence));
    if (unused.length > 0) return this.#chance.pick(unused);
    return sentences.length === 0 ? undefined : this.#chance.pick(sentences);
  }

  #weave(): string {
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const sentence = weaveSentence(this.#chance);
      if (this.#used.has(sentence)) continue;
      this.#used.add(sentence);
      return sentence;
    }
    return weaveSentence(this.#chance);
  }

  #nextTopic() {
    while (this.#topic === undefined || this.#topic.sentences.length === 0) {
      if (this.#topics.length === 0) {
        const first = this.#chance.pick(TOPICS.slice(0, CENTRAL_TOPICS));
        this.#topics = [...this.#chance.shuffle(TOPICS.filter((topic) => topic !== first)), first];
      }
      const topic = this.#topics.pop();
      if (topic === undefined) throw new Error('There are no topics.');
      const { title, leads, sentences } = topic;
      const fresh = sentences.filter((sentence) => !this.#used.has(sentence));
      this.#isRepeating ||= fresh.length === 0;
      this.#topic = {
        title,
        leads: this.#chance.shuffle(leads.filter((lead) => !this.#used.has(lead))),
        sentences: this.#chance.shuffle(fresh.length === 0 ? sentences : fresh),
      };
      for (const lead of leads) this.#used.add(lead);
    }
    return this.#topic;
  }
}

/** The tokens of the simulated model: a word with the space before it and the line breaks behind it. */
export function splitWords(text: string): string[] {
  return text.match(/[^\S\n]*\S+\n*/g) ?? [];
}

export function countWords(text: string): number {
  let count = 0;
  let isWithin = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const isSpace = code === 32 || code === 10;
    if (!isSpace && !isWithin) count += 1;
    isWithin = !isSpace;
  }
  return count;
}
