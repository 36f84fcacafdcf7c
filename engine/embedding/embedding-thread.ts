/**
 * The thread that runs the embedding model. A question takes some 10 to 30 ms of a core, for which the worker's streams
 * must not stop.
 */
import { z } from 'zod';
import { serveThread } from '../../platform/threads/serve-thread.ts';
import { loadEmbeddingModel } from './load-model.ts';

const textsSchema = z.array(z.string());

await serveThread(async () => {
  const model = await loadEmbeddingModel();
  return (texts) => model.embed(textsSchema.parse(texts));
});
