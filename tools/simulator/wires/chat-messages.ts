/** Messages as OpenAI's chat completions have them, and Cohere after it. */
import { z } from 'zod';
import type { Message, Part } from '../../../contracts/content.ts';
import { filePart, imagePart, messageOf, textPart } from './read-parts.ts';

const chatContentSchema = z.union([
  z.string(),
  z.array(
    z.union([
      z.object({ type: z.literal('text'), text: z.string() }),
      z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) }),
      z.object({ type: z.literal('file'), file: z.object({ file_data: z.string() }) }),
      z.object({ type: z.literal('refusal'), refusal: z.string() }),
      z.object({ type: z.string() }),
    ]),
  ),
]);

export const chatMessageSchema = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: chatContentSchema.nullish(),
  tool_call_id: z.string().optional(),
  tool_calls: z
    .array(z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) }))
    .optional(),
});

export function readChatMessage(message: z.infer<typeof chatMessageSchema>): Message[] {
  const { role, content, tool_call_id, tool_calls } = message;
  const parts = typeof content === 'string' ? textPart(content) : (content ?? []).flatMap(readChatPart);
  if (role === 'tool') {
    const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
    return messageOf('user', [{ type: 'tool-result', id: tool_call_id ?? '', content: text }]);
  }
  const calls = (tool_calls ?? []).map(({ id, function: called }) => ({
    type: 'tool-call' as const,
    id,
    name: called.name,
    arguments: called.arguments,
  }));
  return messageOf(role, [...parts, ...calls]);
}

function readChatPart(part: Exclude<z.infer<typeof chatContentSchema>, string>[number]): Part[] {
  if ('text' in part) return textPart(part.text);
  if ('refusal' in part) return textPart(part.refusal);
  if ('image_url' in part) return [imagePart(part.image_url.url)];
  return 'file' in part ? [filePart(part.file.file_data)] : [];
}
