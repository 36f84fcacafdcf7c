/**
 * The pages that a candidate quotes, or that a search has found for it. Source: Gemini API reference,
 * "CitationMetadata", "GroundingMetadata"; all places are bytes.
 */
import type { Candidate } from '@google/genai';
import type { CitedText } from '../cited-text.ts';
import type { ProviderEvent } from '../provider.ts';

type Cited = Pick<Candidate, 'citationMetadata' | 'groundingMetadata'>;

export class GoogleCitations {
  readonly #text: CitedText;
  /** The last ones count: each chunk may repeat those before. */
  #last: Cited = {};

  constructor(text: CitedText) {
    this.#text = text;
  }

  take({ citationMetadata, groundingMetadata }: Cited): void {
    this.#last = {
      ...this.#last,
      ...(citationMetadata === undefined ? {} : { citationMetadata }),
      ...(groundingMetadata === undefined ? {} : { groundingMetadata }),
    };
  }

  *close(): Generator<ProviderEvent> {
    const { citationMetadata, groundingMetadata } = this.#last;
    for (const { uri, title, startIndex = 0, endIndex = 0 } of citationMetadata?.citations ?? []) {
      if (uri !== undefined) yield this.#text.citeBytes({ url: uri, title }, startIndex, endIndex);
    }
    const pages = groundingMetadata?.groundingChunks ?? [];
    for (const { segment, groundingChunkIndices = [] } of groundingMetadata?.groundingSupports ?? []) {
      for (const place of groundingChunkIndices) {
        const { uri, title } = pages[place]?.web ?? {};
        if (uri === undefined) continue;
        yield this.#text.citeBytes({ url: uri, title }, segment?.startIndex ?? 0, segment?.endIndex ?? 0);
      }
    }
  }
}
