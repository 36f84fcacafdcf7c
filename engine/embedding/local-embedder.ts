/** The sentence encoder of this process as an embedder of questions. */
import type { Embedder } from './embedder.ts';
import type { SentenceEncoder } from './sentence-encoder.ts';

const DIMENSIONS = 512;
const TIMEOUT_MS = 150;

/** @param encoder may have other users; closing the embedder closes it. */
export function createLocalEmbedder(encoder: SentenceEncoder): Embedder {
  const embed = async (text: string, tenant?: string) => {
    const [vector] = await encoder.encode([text], tenant);
    if (vector === undefined) throw new Error('The embedding model returned no vector.');
    return vector;
  };
  return {
    name: 'use-512',
    dimensions: DIMENSIONS,
    timeoutMs: TIMEOUT_MS,
    embed,
    async warmUp() {
      // The first text compiles the model's kernels; the second one shows that they are ready.
      await embed('How long does the first question take?');
      await embed('The second one is quick.');
    },
    close: () => encoder.close(),
  };
}
