/** The vectors of the newest texts: a question is looked up, compared with others in flight, and stored. */
import type { Embedder } from './embedder.ts';

/** Some 4 KB each. */
const REMEMBERED_TEXTS = 1_000;

export function rememberVectors(embedder: Embedder): Embedder {
  const vectors = new Map<string, Promise<number[]>>();
  return {
    ...embedder,
    embed(text, tenant) {
      const known = vectors.get(text);
      if (known !== undefined) return known;
      const vector = embedder.embed(text, tenant);
      vectors.set(text, vector);
      vector.catch(() => vectors.delete(text));
      const [oldest] = vectors.keys();
      if (vectors.size > REMEMBERED_TEXTS && oldest !== undefined) vectors.delete(oldest);
      return vector;
    },
  };
}
