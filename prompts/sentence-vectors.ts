/** Sentences as vectors, by a small model in a thread of its own: the streams of the worker must not stand still. */
import { Worker } from 'node:worker_threads';
import { z } from 'zod';

export interface SentenceVectors {
  /** One vector of length 1 for each text, in their order. */
  read(texts: readonly string[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

const replySchema = z.union([
  z.object({ id: z.number(), vectors: z.array(z.instanceof(Float32Array)) }),
  z.object({ id: z.number(), error: z.string() }),
]);

/** Documents come again with other questions: so many vectors are remembered, the newest, 2 KiB each. */
const REMEMBERED = 10_000;

interface Waiting {
  readonly resolve: (vectors: readonly Float32Array[]) => void;
  readonly reject: (error: Error) => void;
}

/** The Universal Sentence Encoder: 512 dimensions, English, nothing leaves the machine. Loaded when first asked. */
export function createSentenceVectors(): SentenceVectors {
  const waiting = new Map<number, Waiting>();
  const remembered = new Map<string, Float32Array>();
  let thread: Worker | null = null;
  let lastId = 0;

  const fail = (error: Error) => {
    thread = null;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const settle = (message: unknown) => {
    const reply = replySchema.parse(message);
    const one = waiting.get(reply.id);
    waiting.delete(reply.id);
    // A process that has nothing else to do may end.
    if (waiting.size === 0) thread?.unref();
    if ('vectors' in reply) one?.resolve(reply.vectors);
    else one?.reject(new Error(`The embedding model failed: ${reply.error}`));
  };
  const start = (): Worker => {
    const worker = new Worker(new URL('./sentence-vectors-thread.ts', import.meta.url));
    worker.on('message', settle);
    worker.on('error', (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => fail(new Error('The thread of the embedding model ended.')));
    return worker;
  };

  const compute = (texts: readonly string[]) =>
    new Promise<readonly Float32Array[]>((resolve, reject) => {
      thread ??= start();
      thread.ref();
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      thread.postMessage({ id: lastId, texts });
    });

  return {
    async read(texts) {
      const missing = [...new Set(texts)].filter((text) => !remembered.has(text));
      const found = missing.length === 0 ? [] : await compute(missing);
      const fresh = new Map(found.map((vector, index) => [missing[index] ?? '', vector]));
      const vectors = texts.map((text) => fresh.get(text) ?? remembered.get(text));
      for (const [text, vector] of fresh) remembered.set(text, vector);
      for (const text of remembered.keys()) {
        if (remembered.size <= REMEMBERED) break;
        remembered.delete(text);
      }
      return vectors.map((vector) => vector ?? new Float32Array());
    },
    async close() {
      await thread?.terminate();
    },
  };
}
