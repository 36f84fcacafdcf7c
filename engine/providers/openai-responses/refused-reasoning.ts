/**
 * Reasoning of earlier turns that the vendor cannot decrypt: another account, vendor or gateway has issued it. Clients
 * send it again with each turn, so the conversation would be refused for good. The same request leaves once more
 * without it. The vendor bills nothing for a request that it refuses.
 */
import type { ResponseCreateParamsStreaming } from 'openai/resources/responses/responses';
import { READ_CHARS } from '../../vendor-errors/http-error.ts';

/** "The encrypted content for item rs_... could not be verified." */
const REFUSED = /\bencrypted[ _]content\b.{0,500}\bcould not be (?:verified|decrypted|parsed)\b/is;
const CODE = 'invalid_encrypted_content';

/** Whether it says that reasoning in the input is not accepted: in place of an answer, or as its first event. */
export function refusesReasoning(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === CODE) || REFUSED.test(error.message.slice(0, READ_CHARS));
}

/** null if the input has none. */
export function withoutReasoning(body: ResponseCreateParamsStreaming): ResponseCreateParamsStreaming | null {
  const { input } = body;
  if (!Array.isArray(input)) return null;
  const rest = input.filter((item) => !('type' in item) || item.type !== 'reasoning');
  return rest.length === input.length ? null : { ...body, input: rest };
}
