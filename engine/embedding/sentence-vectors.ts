/**
 * Sentences as vectors, by a small model: 10 ms of a core for each, so only a thread that may be kept busy asks for them.
 */
import { loadEmbeddingModel } from './load-model.ts';

export interface SentenceVectors {
  /** One vector of length 1 for each text, in their order. */
  read(texts: readonly string[]): Promise<readonly Float32Array[]>;
}

/** Documents come again with other questions: so many vectors are remembered, the newest, 2 KiB each. */
const REMEMBERED = 10_000;

/** Its model is loaded when first asked. */
export function createSentenceVectors(): SentenceVectors {
  const remembered = new Map<string, Float32Array>();
  let loading: ReturnType<typeof loadEmbeddingModel> | null = null;

  const compute = async (texts: string[]) => {
    loading ??= loadEmbeddingModel();
    const vectors = await (await loading).embed(texts);
    return vectors.map((vector) => Float32Array.from(vector));
  };

  return {
    async read(texts) {
      const missing = [...new Set(texts)].filter((text) => !remembered.has(text));
      const found = missing.length === 0 ? [] : await compute(missing);
      const fresh = new Map(found.map((vector, index) => [missing[index] ?? '', vector]));
      const vectors = texts.map((text) => fresh.get(text) ?? remembered.get(text));
      for (const [text, vector] of fresh) remembered.set(text, vector);
      for (const text of remembered.keys()) {
        if (remembered.size <= REMEMBERED) break;
        remembered.delete(text);
      }
      return vectors.map((vector) => vector ?? new Float32Array());
    },
  };
}
