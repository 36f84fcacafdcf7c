import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { TooLate, withTimeout } from '../../platform/with-timeout.ts';

test('a result or an error in time is passed on', async () => {
  await expect(withTimeout('the work', 10_000, Promise.resolve('done'))).resolves.toBe('done');
  await expect(withTimeout('the work', 10_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('a wait that is too long ends with an error that names the work, and the late error is ignored', async () => {
  const work = Promise.withResolvers<never>();
  const late = withTimeout('the work', 5, work.promise);
  await expect(late).rejects.toEqual(new TooLate('the work did not answer within 5 ms'));
  work.reject(new Error('nobody handles this'));
});

test('a time that is already over still lets settled work through', async () => {
  await expect(withTimeout('the work', -1, Promise.resolve('done'))).resolves.toBe('done');
});

test('a reply that was received while the process was busy wins over the timer', async () => {
  const isSent = new Int32Array(new SharedArrayBuffer(4));
  const source = `
    const { parentPort, workerData: isSent } = require('node:worker_threads');
    parentPort.once('message', () => {
      parentPort.postMessage('reply');
      Atomics.store(isSent, 0, 1);
      Atomics.notify(isSent, 0);
    });
    parentPort.postMessage('ready');`;
  const peer = new Worker(source, { eval: true, workerData: isSent });
  await once(peer, 'message');
  const received = once(peer, 'message').then(([message]) => message);
  // Node runs timers after immediates: the first phase after this block is that of the expired timer.
  const reply = await new Promise((resolve) => {
    setImmediate(() => {
      const bounded = withTimeout('the peer', 1, received).catch((error: unknown) => error);
      peer.postMessage('call');
      Atomics.wait(isSent, 0, 0);
      const startMs = performance.now();
      while (performance.now() - startMs < 5);
      resolve(bounded);
    });
  });
  expect(reply).toBe('reply');
  await peer.terminate();
});
