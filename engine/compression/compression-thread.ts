/** The thread that shortens contexts: to read two million characters of them takes seconds of a core. */
import { workerData } from 'node:worker_threads';
import { countTokens } from '../../contracts/count-tokens.ts';
import { serveThread } from '../../platform/threads/serve-thread.ts';
import { compressInput } from './compress-input.ts';
import { type CompressionData, type CompressionRequest, createCompressor } from './create-compressor.ts';

await serveThread(async () => {
  const compressor = await createCompressor(workerData as CompressionData);
  return async (message) => {
    const request = message as CompressionRequest;
    return request === null ? null : compressInput(compressor, request, request.target, countTokens);
  };
});
