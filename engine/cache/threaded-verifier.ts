/** The verifier in a thread of this process, with a deadline that holds for any text. */
import { z } from 'zod';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import { agreements, type QuestionVerifier } from './question-verifier.ts';

const MOST_WAITING = 256;

export const verifierRequestSchema = z.object({
  questions: z.array(z.string()),
  /** null: the request asks for the signature. */
  others: z.array(z.array(z.string())).nullable(),
  /** After this time no further conversation is compared. */
  compareMs: z.number(),
});

export interface VerifierPatience {
  /** How long a question may wait for its turn. */
  readonly waitMs: number;
  /** After this time no further conversation is compared. */
  readonly compareMs: number;
  /** After this time the thread is terminated. */
  readonly runMs: number;
}

const PATIENCE: VerifierPatience = {
  waitMs: DEFAULTS.verifierWaitMs,
  compareMs: DEFAULTS.verifierCompareMs,
  runMs: LIMITS.verifierRunMs,
};

export function createThreadedVerifier({ waitMs, compareMs, runMs } = PATIENCE): QuestionVerifier {
  const thread = new ThreadRunner({
    file: new URL('./verifier-thread.ts', import.meta.url),
    what: 'the verifier',
    mostWaiting: MOST_WAITING,
  });
  const ask = (request: z.infer<typeof verifierRequestSchema>, tenant = '') =>
    thread.run(request, { waitMs, runMs, turn: tenant });
  const compare: QuestionVerifier['compare'] = async (questions, others, tenant) => {
    if (others.length === 0) return [];
    const request = { questions: [...questions], others: others.map((other) => [...other]), compareMs };
    return z.array(z.enum(agreements)).parse(await ask(request, tenant));
  };
  return {
    compare,
    async signatureOf(questions, tenant) {
      return z.string().parse(await ask({ questions: [...questions], others: null, compareMs }, tenant));
    },
    async warmUp() {
      const pair = [
        'What does the first look-up wait for?',
        'For what does the first look-up wait?',
      ] as const;
      await thread.run({ questions: [pair[0]], others: [[pair[1]]], compareMs });
    },
    close: () => thread.close(),
  };
}
