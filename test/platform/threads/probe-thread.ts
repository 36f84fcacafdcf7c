/** A thread that does what it is asked: to answer, to throw, to never end, or to end itself. */
import { threadId, workerData } from 'node:worker_threads';
import { serveThread } from '../../../platform/threads/serve-thread.ts';

await serveThread(() => {
  if (workerData === 'cannot be loaded') throw new Error('the model is missing');
  return (request) => {
    if (request === 'throw') throw new Error('no');
    if (request === 'exit') process.exit(1);
    while (request === 'for ever');
    return { request, threadId };
  };
});
