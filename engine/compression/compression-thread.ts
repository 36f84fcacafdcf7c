/**
 * The thread that shortens contexts: two million characters take seconds of a core. It asks its owner for the vectors
 * of sentences, because the encoder has its own thread, which the answer cache uses too.
 */
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { countTokens } from '../../contracts/count-tokens.ts';
import { serveThread } from '../../platform/threads/serve-thread.ts';
import { compressInput } from './compress-input.ts';
import { type CompressionData, type CompressionRequest, createCompressor } from './create-compressor.ts';

const vectorsSchema = z.array(z.array(z.number())).nullable();

await serveThread(async (askOwner) => {
  const encode = async (texts: readonly string[]) => vectorsSchema.parse(await askOwner(texts));
  const compressor = await createCompressor(workerData as CompressionData, encode);
  return async (message) => {
    const request = message as CompressionRequest;
    return request === null ? null : compressInput(compressor, request, request.target, countTokens);
  };
});
