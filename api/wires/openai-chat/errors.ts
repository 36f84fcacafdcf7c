/** An error in the middle of a chat completion: one `data:` with `error`, as the official clients expect it. */
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toOpenAiError } from '../openai-responses/errors.ts';

export function inBandError(error: UnbrokenError, generationId: string): string {
  return `data: ${JSON.stringify({ error: { ...toOpenAiError(error), generation_id: generationId } })}\n\n`;
}
