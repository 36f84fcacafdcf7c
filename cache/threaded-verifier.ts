/** The verifier in a thread of this process, with a deadline that holds whatever it is given. */
import { z } from 'zod';
import { LIMITS } from '../contracts/limits.ts';
import { ThreadRunner } from '../threads/thread-runner.ts';
import { agreements, type QuestionVerifier } from './question-verifier.ts';

const MOST_WAITING = 256;

export const verifierRequestSchema = z.object({
  questions: z.array(z.string()),
  /** null: what is asked for is the signature. */
  others: z.array(z.array(z.string())).nullable(),
  /** After this no further conversation is compared. */
  compareMs: z.number(),
});

/** @param waitMs how long a question may wait for its turn; null: as long as it takes. */
export function createThreadedVerifier(waitMs: number | null = LIMITS.verifierWaitMs): QuestionVerifier {
  const thread = new ThreadRunner({
    file: new URL('./verifier-thread.ts', import.meta.url),
    what: 'the verifier',
    mostWaiting: MOST_WAITING,
  });
  const limits = { runMs: LIMITS.verifierRunMs, ...(waitMs === null ? {} : { waitMs }) };
  const ask = (request: z.infer<typeof verifierRequestSchema>) => thread.run(request, limits);
  const compareMs = LIMITS.verifierCompareMs;
  const compare: QuestionVerifier['compare'] = async (questions, others) => {
    if (others.length === 0) return [];
    const request = { questions: [...questions], others: others.map((one) => [...one]), compareMs };
    return z.array(z.enum(agreements)).parse(await ask(request));
  };
  return {
    compare,
    async signatureOf(questions) {
      return z.string().parse(await ask({ questions: [...questions], others: null, compareMs }));
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
