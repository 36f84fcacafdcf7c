/**
 * What the cache's rules make of pairs of prompts: JSON lines of `first` and `second` come in, and go out with the
 * ruling and in the writing that the model reads. `train.py` calls it.
 */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { BETWEEN_TURNS, textsOf } from '../../engine/cache/pair-model/read-pairs.ts';
import { compareConversations } from '../../engine/cache/verifier/compare-conversations.ts';
import { createVerifier } from '../../engine/cache/verifier/verify.ts';

const pairSchema = z.strictObject({ first: z.string(), second: z.string() });

const verifier = createVerifier();
for await (const line of createInterface({ input: process.stdin })) {
  const { first, second } = pairSchema.parse(JSON.parse(line));
  const others = [second.split(BETWEEN_TURNS)];
  for (const { ruling, pair } of compareConversations(
    verifier,
    first.split(BETWEEN_TURNS),
    others,
    Number.POSITIVE_INFINITY,
  )) {
    const [question, theirs] = textsOf(pair);
    process.stdout.write(`${JSON.stringify({ ruling, first: question, second: theirs })}\n`);
  }
}
