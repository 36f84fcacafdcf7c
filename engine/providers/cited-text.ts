/**
 * Citations of pages, which each vendor sends in another shape: here in that of OpenAI's chat completions, from which
 * every format that has citations makes its own.
 */
import type { ProviderCall, ProviderEvent } from './provider.ts';

interface Source {
  readonly url: string;
  readonly title?: string | undefined;
}

/** Numbers in brackets, as Perplexity writes them: the first source is [1]. */
const MARK = /\[(\d{1,3})\]/g;
const MOST_CITATIONS = 1_000;

/** The text of an answer so far, in which citations have their places. */
export class CitedText {
  #text: string;
  /** Characters of earlier calls, which this one continues. */
  readonly #delivered: number;

  constructor({ resume }: Pick<ProviderCall, 'resume'>) {
    this.#text = 'deliveredText' in resume ? resume.deliveredText : '';
    this.#delivered = this.#text.length;
  }

  add(text: string): void {
    this.#text += text;
  }

  /** @param start and end: characters in the text of this call. */
  cite({ url, title = '' }: Source, start: number, end: number): ProviderEvent {
    const [start_index, end_index] = [start + this.#delivered, end + this.#delivered];
    const url_citation = { url, title, start_index, end_index };
    return { type: 'annotation', format: 'openai-chat', value: { type: 'url_citation', url_citation } };
  }

  /** The same for UTF-8 bytes. */
  citeBytes(source: Source, start: number, end: number): ProviderEvent {
    const bytes = Buffer.from(this.#ownText);
    const charsUntil = (place: number) => bytes.subarray(0, place).toString().length;
    return this.cite(source, charsUntil(start), charsUntil(end));
  }

  /** The sources at their marks; one without a mark at the end of the text. */
  *citeMarked(sources: readonly Source[]): Generator<ProviderEvent> {
    const text = this.#ownText;
    const unmarked = new Set(sources);
    for (const { 0: mark, 1: number, index } of [...text.matchAll(MARK)].slice(0, MOST_CITATIONS)) {
      const source = sources[Number(number) - 1];
      if (source === undefined) continue;
      unmarked.delete(source);
      yield this.cite(source, index, index + mark.length);
    }
    for (const source of unmarked) yield this.cite(source, text.length, text.length);
  }

  get #ownText(): string {
    return this.#text.slice(this.#delivered);
  }
}

/** @param values objects with a URL and perhaps a title, or URLs alone; others are left out. */
export function readSources(values: unknown): readonly Source[] {
  if (!Array.isArray(values)) return [];
  return values.slice(0, MOST_CITATIONS).flatMap((value: unknown) => {
    const { url, title } = (typeof value === 'string' ? { url: value } : (value ?? {})) as Partial<Source>;
    if (typeof url !== 'string') return [];
    return [{ url, ...(typeof title === 'string' ? { title } : {}) }];
  });
}
