/** Remembers the vectors of the newest texts: one question is looked up, compared with others in flight, and stored. */
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { Embedder } from './embedder.ts';

/** Of some 4 KB each. */
const REMEMBERED_TEXTS = 1_000;

export function rememberVectors(embedder: Embedder): Embedder {
  const vectors = new BoundedMap<string, Promise<number[]>>(REMEMBERED_TEXTS);
  return {
    ...embedder,
    embed: (text, tenant) =>
      vectors.getOrCreate(text, () => {
        const vector = embedder.embed(text, tenant);
        vector.catch(() => vectors.delete(text));
        return vector;
      }),
  };
}
