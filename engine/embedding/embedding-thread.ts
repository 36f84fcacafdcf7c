/**
 * The thread that runs the embedding model: it takes some 10 to 30 ms of a core for a question, for which the
 * streams of the worker must not stand still.
 */

import { serveThread } from '../../platform/threads/serve-thread.ts';
import { loadEmbeddingModel } from './load-model.ts';

await serveThread(async () => {
  const model = await loadEmbeddingModel();
  return (text) => model.embed(String(text));
});
