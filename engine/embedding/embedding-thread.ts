/**
 * The thread that runs the embedding model. A question takes some milliseconds of a core, a long one twenty, for which
 * the worker's streams must not stop.
 */
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { serveThread } from '../../platform/threads/serve-thread.ts';
import type { EncoderData } from './sentence-encoder.ts';
import { SentenceModel } from './sentence-model.ts';

const textsSchema = z.array(z.string());

await serveThread(async () => {
  const model = await SentenceModel.load((workerData as EncoderData).runtime);
  return async (texts) => {
    const vectors: number[][] = [];
    for (const text of textsSchema.parse(texts)) vectors.push(await model.embed(text));
    return vectors;
  };
});
