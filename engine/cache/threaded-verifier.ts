/**
 * The verifier in threads of this process, with a deadline that holds for any text: rules in one thread and, for what
 * they leave open, a model in another.
 */
import { z } from 'zod';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { ThreadRunner } from '../../platform/threads/thread-runner.ts';
import { leastFalseHits, readCalibration, thresholdsOf } from './pair-model/calibration.ts';
import { conversationPairSchema, PairReader } from './pair-model/pair-reader.ts';
import type { PairsToRead } from './pair-model/read-pairs.ts';
import type { QuestionVerifier } from './question-verifier.ts';
import { readOpen, withoutModel } from './read-open.ts';
import { rulings } from './verifier/compare-conversations.ts';

const MOST_WAITING = 256;

export const verifierRequestSchema = z.object({
  questions: z.array(z.string()),
  /** null: the request asks for the signature. */
  others: z.array(z.array(z.string())).nullable(),
  /** After this time no further conversation is compared. */
  compareMs: z.number(),
});

const ruledSchema = z.array(z.object({ ruling: z.enum(rulings), pair: conversationPairSchema }));

export interface VerifierPatience {
  /** How long a question may wait for its turn. */
  readonly waitMs: number;
  /** After this time no further conversation is compared. */
  readonly compareMs: number;
  /** After this time the thread of the rules is terminated. */
  readonly runMs: number;
}

const PATIENCE: VerifierPatience = {
  waitMs: DEFAULTS.verifierWaitMs,
  compareMs: DEFAULTS.verifierCompareMs,
  runMs: LIMITS.verifierRunMs,
};

/** @param by `learned`: a model reads what the rules leave open. */
export function createThreadedVerifier(
  { waitMs, compareMs, runMs } = PATIENCE,
  by: 'learned' | 'rules' = 'learned',
): QuestionVerifier {
  const model = by === 'learned' ? { reader: new PairReader(), calibration: readCalibration() } : null;
  const rules = new ThreadRunner({
    file: new URL('./verifier-thread.ts', import.meta.url),
    what: 'the verifier',
    mostWaiting: MOST_WAITING,
  });
  const ask = (request: z.infer<typeof verifierRequestSchema>, turn = '') =>
    rules.run(request, { waitMs, runMs, turn });
  return {
    async compare(questions, others, { tenant = '', acceptedFalseHits, all = false }) {
      if (others.length === 0) return [];
      const request = { questions: [...questions], others: others.map((other) => [...other]), compareMs };
      const ruled = ruledSchema.parse(await ask(request, tenant));
      if (model === null) return ruled.map(({ ruling }) => withoutModel(ruling));
      const thresholds = thresholdsOf(model.calibration, acceptedFalseHits);
      const read = (pairs: PairsToRead) =>
        model.reader.read(pairs, { waitMs, readMs: compareMs, turn: tenant });
      return readOpen(read, ruled, { thresholds, all });
    },
    async signatureOf(questions, tenant) {
      return z.string().parse(await ask({ questions: [...questions], others: null, compareMs }, tenant));
    },
    async warmUp() {
      const questions = ['What does the first look-up wait for?'];
      const others = [['For what does the first look-up wait?']];
      const pairs: PairsToRead = {
        pairs: others.map((other) => [questions, other]),
        thresholds: { close: 0, reworded: 0 },
        all: true,
      };
      await Promise.all([
        rules.run({ questions, others, compareMs }),
        model?.reader.read(pairs, { readMs: compareMs }),
      ]);
    },
    async close() {
      await Promise.all([rules.close(), model?.reader.close()]);
    },
  };
}

/**
 * @param routes the accepted share of false hits of each, by the name of its setting.
 * @throws Error with the fix if the model cannot guarantee one of them.
 */
export function assertGuaranteed(routes: Readonly<Record<string, number>>): void {
  const calibration = readCalibration();
  for (const [setting, accepted] of Object.entries(routes)) {
    if (thresholdsOf(calibration, accepted) !== null) continue;
    const least = Math.ceil(leastFalseHits(calibration) * 10_000) / 10_000;
    throw new Error(
      `${setting} is ${accepted}, but the verifier's model guarantees no less than ${least}. Set it to ${least} or ` +
        'more, or set cache.verifier to rules.',
    );
  }
}
