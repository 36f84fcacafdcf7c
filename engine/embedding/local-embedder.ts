/** The sentence encoder of this process as an embedder of questions. */
import type { Embedder } from './embedder.ts';
import type { SentenceEncoder } from './sentence-encoder.ts';

const DIMENSIONS = 384;
const TIMEOUT_MS = 150;
/** Of 742 paraphrases by others (tools/cache-verifier/pairs), one is below it. */
const LEAST_SIMILARITY = 0.4;

/** @param encoder may have other users; closing the embedder closes it. */
export function createLocalEmbedder(encoder: SentenceEncoder): Embedder {
  const embed = async (text: string, tenant?: string) => {
    const [vector] = await encoder.encode([text], tenant);
    if (vector === undefined) throw new Error('The embedding model returned no vector.');
    return vector;
  };
  return {
    name: 'minilm-l6-384',
    dimensions: DIMENSIONS,
    timeoutMs: TIMEOUT_MS,
    leastSimilarity: LEAST_SIMILARITY,
    embed,
    async warmUp() {
      await embed('How long does the first question take?');
    },
    close: () => encoder.close(),
  };
}
