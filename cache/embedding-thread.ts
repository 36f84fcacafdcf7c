/**
 * The thread that runs the embedding model: it takes some 10 to 30 ms of a core for a question, for which the
 * streams of the worker must not stand still.
 */
import { loadEmbeddingModel } from '../embedding/load-model.ts';
import { serveThread } from '../threads/serve-thread.ts';

await serveThread(async () => {
  const model = await loadEmbeddingModel();
  return (text) => model.embed(String(text));
});
