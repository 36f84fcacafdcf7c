/** OpenAI's embedding model: any language, for a call over the network. No retries: the look-up would be over. */
import OpenAI from 'openai';
import type { Embedder } from './embedder.ts';

const MODEL = 'text-embedding-3-small';
/** The model's vectors can be shortened; at 512 of 1,536 dimensions it keeps nearly all of its quality. */
const DIMENSIONS = 512;
const TIMEOUT_MS = 400;
/** Far below what its paraphrases have, some 0.6 and more: the verifier decides. */
const LEAST_SIMILARITY = 0.35;

export function createOpenAiEmbedder({
  apiKey,
  baseUrl,
}: {
  readonly apiKey: string;
  readonly baseUrl?: string | undefined;
}): Embedder {
  const client = new OpenAI({
    apiKey,
    maxRetries: 0,
    timeout: TIMEOUT_MS,
    // No other server gets the question.
    fetchOptions: { redirect: 'error' },
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
  return {
    name: 'openai-te3-small-512',
    dimensions: DIMENSIONS,
    timeoutMs: TIMEOUT_MS,
    leastSimilarity: LEAST_SIMILARITY,
    async embed(text) {
      const { data } = await client.embeddings.create({
        model: MODEL,
        input: text,
        dimensions: DIMENSIONS,
        encoding_format: 'float',
      });
      const vector = data[0]?.embedding;
      if (vector?.length !== DIMENSIONS)
        throw new Error(`${MODEL} returned no vector of ${DIMENSIONS} dimensions.`);
      return vector;
    },
    async warmUp() {
      // There is nothing to load, and a call costs money.
    },
    async close() {
      // The SDK keeps no connection that would keep the process alive.
    },
  };
}
