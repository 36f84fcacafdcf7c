/** The log probabilities of an answer's tokens, as the vendor gives them out. */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

export const logprobsSchema = z
  .int()
  .min(0)
  .max(LIMITS.topLogprobs)
  .describe(
    'Returns the log probability of each token of the text, with so many of the likeliest tokens at its place. ' +
      'Such an answer never comes from the cache, which has none.',
  );

const tokenProbabilitySchema = z.object({
  token: z.string(),
  logprob: z.number(),
  bytes: z
    .array(z.int().min(0).max(255))
    .optional()
    .describe('Its UTF-8 bytes, if the vendor has them: a token may be a part of a character'),
});
export type TokenProbability = z.infer<typeof tokenProbabilitySchema>;

export const tokenLogprobSchema = z.object({
  ...tokenProbabilitySchema.shape,
  top: z
    .array(tokenProbabilitySchema)
    .describe('The likeliest tokens at its place, as many as were asked for'),
});
export type TokenLogprob = z.infer<typeof tokenLogprobSchema>;

const encoder = new TextEncoder();

/**
 * The tokens that make up the end of what they were received with, for a text of which the beginning was left out. A
 * token whose bytes are not those of the text ends the search, so none is given to text that it does not belong to.
 */
export function tokensOfEnd(tokens: readonly TokenLogprob[], text: string): readonly TokenLogprob[] {
  const bytes = encoder.encode(text);
  let rest = bytes.length;
  let first = tokens.length;
  for (const { token, bytes: own = encoder.encode(token) } of tokens.toReversed()) {
    const begin = rest - own.length;
    if (begin < 0 || !own.every((byte, index) => byte === bytes[begin + index])) break;
    rest = begin;
    first -= 1;
  }
  return tokens.slice(first);
}

/** About how many bytes they take as JSON. */
export function logprobBytes({
  logprobs = [],
}: {
  readonly logprobs?: readonly TokenLogprob[] | undefined;
}): number {
  return logprobs.reduce((sum, { top }) => sum + BYTES_PER_TOKEN * (1 + top.length), 0);
}

/** With its name, its number, the bytes of its characters, and what stands around them. */
const BYTES_PER_TOKEN = 120;
