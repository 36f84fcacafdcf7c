/**
 * The pages that an answer with a search is based on. Perplexity names them beside the choices of every chunk, and
 * refers to them in the text. Source: Perplexity API reference, "Chat completions".
 */
import { CitedText, readSources } from '../cited-text.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';

export class SearchResults {
  readonly #text: CitedText;
  #sources: ReturnType<typeof readSources> = [];
  #hasAnnotations = false;

  constructor(call: Pick<ProviderCall, 'resume'>) {
    this.#text = new CitedText(call);
  }

  take({ citations, search_results: results }: { citations?: unknown; search_results?: unknown }): void {
    const sources = readSources(results ?? citations);
    if (sources.length > 0) this.#sources = sources;
  }

  note(event: ProviderEvent): ProviderEvent {
    if (event.type === 'text') this.#text.add(event.text);
    if (event.type === 'annotation') this.#hasAnnotations = true;
    return event;
  }

  /** Nothing, if the vendor has annotated the text itself. */
  *close(): Generator<ProviderEvent> {
    if (!this.#hasAnnotations) yield* this.#text.citeMarked(this.#sources);
  }
}
