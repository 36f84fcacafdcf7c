/** A thread that does what it is asked: answer, throw, never end, exit, or ask its owner. */
import { threadId, workerData } from 'node:worker_threads';
import { serveThread } from '../../../platform/threads/serve-thread.ts';

await serveThread((askOwner) => {
  if (workerData === 'cannot be loaded') throw new Error('the model is missing');
  return (request) => {
    if (request === 'throw') throw new Error('no');
    if (request === 'ask') return askOwner('which one?');
    if (request === 'exit') process.exit(1);
    while (request === 'for ever');
    return { request, threadId };
  };
});
