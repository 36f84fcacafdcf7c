/** Reads the log probabilities of OpenAI's formats. Vendors may leave out parts; a token without any is dropped. */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import type { TokenLogprob, TokenProbability } from '../../contracts/token-logprobs.ts';

const probabilitySchema = z.object({
  token: z.string().max(LIMITS.tokenChars),
  logprob: z.number(),
  bytes: z.array(z.int().min(0).max(255)).max(LIMITS.tokenChars).nullish(),
});
const tokenSchema = z.object({ ...probabilitySchema.shape, top_logprobs: z.array(z.unknown()).nullish() });

/** @param value `logprobs.content` of a choice, or `logprobs` of a delta or part of Responses. */
export function readOpenAiLogprobs(value: unknown): readonly TokenLogprob[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((own: unknown): TokenLogprob[] => {
    const { data } = tokenSchema.safeParse(own);
    if (data === undefined) return [];
    const top = (data.top_logprobs ?? []).slice(0, LIMITS.topLogprobs).flatMap(readProbability);
    return [{ ...toProbability(data), top }];
  });
}

function readProbability(value: unknown): TokenProbability[] {
  const { data } = probabilitySchema.safeParse(value);
  return data === undefined ? [] : [toProbability(data)];
}

function toProbability({ token, logprob, bytes }: z.infer<typeof probabilitySchema>): TokenProbability {
  return { token, logprob, ...(bytes === null || bytes === undefined ? {} : { bytes }) };
}
