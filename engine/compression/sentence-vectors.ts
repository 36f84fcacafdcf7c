/** Remembers the vectors of sentences: the same documents are compressed again for other questions. */
import { BoundedMap } from '../../platform/bounded-map.ts';

/** One vector of length 1 for each text, in their order; null when the encoder has no time for them. */
export type EncodeSentences = (
  texts: readonly string[],
) => Promise<readonly (readonly number[] | Float32Array)[] | null>;

/** Of 2 KiB each. */
const REMEMBERED_VECTORS = 10_000;

export class SentenceVectors {
  readonly #encode: EncodeSentences;
  readonly #remembered = new BoundedMap<string, Float32Array>(REMEMBERED_VECTORS);

  constructor(encode: EncodeSentences) {
    this.#encode = encode;
  }

  /** One vector of length 1 for each text, in their order; null when the encoder has no time for them. */
  async read(texts: readonly string[]): Promise<readonly Float32Array[] | null> {
    const vectors = new Map(texts.map((text) => [text, this.#remembered.get(text)]));
    const missing = [...vectors.keys()].filter((text) => vectors.get(text) === undefined);
    const encoded = missing.length === 0 ? [] : await this.#encode(missing);
    if (encoded === null) return null;
    for (const [index, text] of missing.entries()) {
      const vector = Float32Array.from(encoded[index] ?? []);
      vectors.set(text, vector);
      this.#remembered.set(text, vector);
    }
    return texts.map((text) => vectors.get(text) ?? new Float32Array());
  }
}
