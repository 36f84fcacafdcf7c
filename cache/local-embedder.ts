/** The Universal Sentence Encoder in a thread of this process: 512 dimensions, English, nothing leaves the machine. */
import { Worker } from 'node:worker_threads';
import type { Embedder } from './embedder.ts';
import type { EmbeddingReply, EmbeddingRequest } from './embedding-thread.ts';

const DIMENSIONS = 512;
const TIMEOUT_MS = 150;
/** Texts that may wait for the thread; one more is refused at once. */
const MOST_WAITING = 64;

interface Waiting {
  readonly resolve: (vector: number[]) => void;
  readonly reject: (error: Error) => void;
}

export function createLocalEmbedder(): Embedder {
  const waiting = new Map<number, Waiting>();
  let thread: Worker | null = null;
  let nextId = 0;

  const fail = (error: Error) => {
    thread = null;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const settle = (reply: EmbeddingReply) => {
    const one = waiting.get(reply.id);
    waiting.delete(reply.id);
    // A process that has nothing else to do may end.
    if (waiting.size === 0) thread?.unref();
    if ('vector' in reply) one?.resolve(reply.vector);
    else one?.reject(new Error(`The embedding model failed: ${reply.error}`));
  };
  const start = (): Worker => {
    const worker = new Worker(new URL('./embedding-thread.ts', import.meta.url));
    worker.on('message', settle);
    worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => fail(new Error('The embedding thread ended.')));
    return worker;
  };
  const embed = (text: string) =>
    new Promise<number[]>((resolve, reject) => {
      if (waiting.size >= MOST_WAITING) {
        reject(new Error(`More than ${MOST_WAITING} texts wait for the embedding model.`));
        return;
      }
      thread ??= start();
      nextId += 1;
      waiting.set(nextId, { resolve, reject });
      thread.ref();
      thread.postMessage({ id: nextId, text } satisfies EmbeddingRequest);
    });

  return {
    name: 'use-512',
    dimensions: DIMENSIONS,
    timeoutMs: TIMEOUT_MS,
    embed,
    async warmUp() {
      await embed('How long does the first question take?');
      await embed('The second one is quick.');
    },
    async close() {
      await thread?.terminate();
    },
  };
}
