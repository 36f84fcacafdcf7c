/** The log probabilities of a chunk's text. Source: Gemini API reference, "LogprobsResult". */
import type { Candidate, LogprobsResult, LogprobsResultCandidate } from '@google/genai';
import { LIMITS } from '../../../contracts/limits.ts';
import type { TokenLogprob, TokenProbability } from '../../../contracts/token-logprobs.ts';

/** They belong to the text of the chunk, which is in one part. */
export class ChunkLogprobs {
  #tokens: readonly TokenLogprob[];

  constructor(candidate: Pick<Candidate, 'logprobsResult'> | undefined) {
    this.#tokens = readGoogleLogprobs(candidate?.logprobsResult);
  }

  take(): readonly TokenLogprob[] {
    const tokens = this.#tokens;
    this.#tokens = [];
    return tokens;
  }
}

/** The likeliest tokens stand in a separate list, at the place of the chosen one. */
function readGoogleLogprobs(result: LogprobsResult | undefined): readonly TokenLogprob[] {
  const top = result?.topCandidates ?? [];
  return (result?.chosenCandidates ?? []).flatMap((chosen, place) =>
    toProbability(chosen).map((own) => ({
      ...own,
      top: (top[place]?.candidates ?? []).slice(0, LIMITS.topLogprobs).flatMap(toProbability),
    })),
  );
}

function toProbability({ token, logProbability }: LogprobsResultCandidate): TokenProbability[] {
  const isWhole = typeof token === 'string' && token.length <= LIMITS.tokenChars;
  return isWhole && Number.isFinite(logProbability) ? [{ token, logprob: Number(logProbability) }] : [];
}
