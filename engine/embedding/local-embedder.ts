/** The Universal Sentence Encoder in a thread of this process: 512 dimensions, English, nothing leaves the machine. */
import { z } from 'zod';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import type { Embedder } from './embedder.ts';

const DIMENSIONS = 512;
const TIMEOUT_MS = 150;
/** Texts that may wait for the thread; one more is refused at once. */
const MOST_WAITING = 64;

const vectorSchema = z.array(z.number());

export function createLocalEmbedder(): Embedder {
  const thread = new ThreadRunner({
    file: new URL('./embedding-thread.ts', import.meta.url),
    what: 'the embedding model',
    mostWaiting: MOST_WAITING,
  });
  const embed = async (text: string, tenant = '') =>
    vectorSchema.parse(await thread.run(text, { turn: tenant }));
  return {
    name: 'use-512',
    dimensions: DIMENSIONS,
    timeoutMs: TIMEOUT_MS,
    embed,
    async warmUp() {
      await embed('How long does the first question take?');
      await embed('The second one is quick.');
    },
    close: () => thread.close(),
  };
}
