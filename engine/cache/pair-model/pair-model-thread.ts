/**
 * The thread that runs the model of pairs. Not the rules' thread: that one is terminated if a text takes too long, and
 * native code must not be.
 */
import { workerData } from 'node:worker_threads';
import { serveThread } from '../../../platform/threads/serve-thread.ts';
import { PairModel } from './pair-model.ts';
import { type PairReaderData, pairsToReadSchema } from './pair-reader.ts';
import { readPairs } from './read-pairs.ts';

await serveThread(async () => {
  const model = await PairModel.load((workerData as PairReaderData).runtime);
  return (message) => {
    const { readMs, ...pairs } = pairsToReadSchema.parse(message);
    return readPairs(model, pairs, readMs);
  };
});
