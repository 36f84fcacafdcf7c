/**
 * What a request is without the two things that many servers of OpenAI's format lack, and that clients send unasked:
 * OpenAI's SDKs want base64, and LangChain sends tokens in place of texts.
 */
import type { EmbeddingsRequest } from './request.ts';

/** @param refusal the words of the server. @returns null if the request is plain, or was refused for something else. */
export async function plainRequest(
  request: EmbeddingsRequest,
  refusal: string,
): Promise<EmbeddingsRequest | null> {
  const { encoding_format: format, ...rest } = request;
  const wantsBase64 = format === 'base64' && /encoding|base64/i.test(refusal);
  const texts = await textsOf(request.input);
  if (!wantsBase64 && texts === null) return null;
  const own = wantsBase64 ? rest : request;
  return texts === null ? own : { ...own, input: texts };
}

/**
 * Clients tokenize as OpenAI's embedding models do, whatever the model (LangChain, `OpenAIEmbeddings`).
 * @returns null for texts.
 */
async function textsOf(input: EmbeddingsRequest['input']): Promise<string | string[] | null> {
  if (typeof input === 'string' || typeof input[0] === 'string') return null;
  const { decode } = await import('gpt-tokenizer/encoding/cl100k_base');
  try {
    return typeof input[0] === 'number'
      ? decode(input as number[])
      : (input as number[][]).map((tokens) => decode(tokens));
  } catch {
    // Tokens of another vocabulary.
    return null;
  }
}
