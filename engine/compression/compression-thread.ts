/**
 * The thread that shortens contexts: two million characters take seconds of a core. It asks its owner for the vectors
 * of sentences, because the encoder has its own thread, which the answer cache uses too.
 */
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { countTokens } from '../../contracts/count-tokens.ts';
import type { Message } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { serveThread } from '../../platform/threads/serve-thread.ts';
import { compressInput } from './compress-input.ts';
import { type CompressionData, type CompressionRequest, createCompressor } from './create-compressor.ts';

const vectorsSchema = z.array(z.array(z.number())).nullable();

await serveThread(async (askOwner) => {
  const encode = async (texts: readonly string[]) => vectorsSchema.parse(await askOwner(texts));
  const compressor = await createCompressor(workerData as CompressionData, encode);
  return async (message) => {
    const request = message as CompressionRequest;
    if (request === null) return null;
    const messages = parseJson(request.messagesJson) as readonly Message[];
    return JSON.stringify(await compressInput(compressor, { messages }, request.target, countTokens));
  };
});
