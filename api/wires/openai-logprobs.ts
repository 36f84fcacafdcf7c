/** The log probabilities of tokens, as OpenAI's formats have them. Source: the types of the official client. */
import type { ChatCompletionTokenLogprob } from 'openai/resources/chat/completions';
import type { TokenLogprob, TokenProbability } from '../../contracts/token-logprobs.ts';

interface OpenAiTokenLogprob extends ChatCompletionTokenLogprob {
  readonly bytes: number[];
  readonly top_logprobs: { readonly token: string; readonly logprob: number; readonly bytes: number[] }[];
}

/** A vendor may have left out the bytes of a whole character. */
export function toOpenAiLogprobs(logprobs: readonly TokenLogprob[]): OpenAiTokenLogprob[] {
  return logprobs.map(({ top, ...own }) => ({ ...withBytes(own), top_logprobs: top.map(withBytes) }));
}

function withBytes({ token, logprob, bytes = [...Buffer.from(token)] }: TokenProbability) {
  return { token, logprob, bytes };
}
