/** The log probabilities of a token, made of its text: each wire puts them into its vendor's words. */
import { createHash } from 'node:crypto';

export interface TokenProbability {
  readonly token: string;
  /** From -10 to 0. */
  readonly logprob: number;
}

interface TokenProbabilities extends TokenProbability {
  /** The likeliest tokens at this place, this one first. */
  readonly top: readonly TokenProbability[];
}

/** @param alternatives how many of the likeliest tokens the request asks for. */
export function probabilitiesOf(text: string, alternatives: number): TokenProbabilities {
  const digest = createHash('sha256').update(text).digest();
  const own = { token: text, logprob: -digest.readUInt16LE(0) / 65_536 };
  const others = Array.from({ length: alternatives }, (_, index) => ({
    token: `${text}${index}`,
    logprob: own.logprob - 1 - index / 4,
  }));
  return { ...own, top: [own, ...others].slice(0, alternatives) };
}

/** As OpenAI's formats have them, with the bytes of each token. */
export function withBytes({ token, logprob, top }: TokenProbabilities) {
  const wire = (own: TokenProbability) => ({ ...own, bytes: [...Buffer.from(own.token)] });
  return { ...wire({ token, logprob }), top_logprobs: top.map(wire) };
}
