/** An error within a stream of chat completions: one `data:` with `error`, as the official clients expect. */
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toOpenAiError } from '../openai-responses/errors.ts';

export function chatErrorFrame(error: UnbrokenError, generationId: string): string {
  return `data: ${JSON.stringify({ error: { ...toOpenAiError(error, 'openai-chat'), generation_id: generationId } })}\n\n`;
}
