/** A thread that does what it is asked: answer, throw, never end, exit, ask its owner, or wait for a shared number. */
import { threadId, workerData } from 'node:worker_threads';
import { serveThread } from '../../../platform/threads/serve-thread.ts';

await serveThread((askOwner) => {
  if (workerData === 'cannot be loaded') throw new Error('the model is missing');
  return (request) => {
    if (request === 'throw') throw new Error('no');
    if (request === 'ask') return askOwner('which one?');
    if (request === 'exit') process.exit(1);
    while (request === 'for ever');
    if (request === 'wait' && workerData instanceof Int32Array) waitFor(workerData);
    return { request, threadId };
  };
});

/** 1: it waits; 2, by its owner: it may continue; 3: it has. */
function waitFor(state: Int32Array): void {
  Atomics.store(state, 0, 1);
  Atomics.wait(state, 0, 1);
  Atomics.store(state, 0, 3);
}
