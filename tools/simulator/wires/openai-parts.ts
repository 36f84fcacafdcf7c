/** What OpenAI's two formats have in common. */
import { z } from 'zod';
import type { ErrorKind } from '../serve-call.ts';

const allowedSchema = z.object({
  mode: z.enum(['auto', 'required']),
  tools: z.array(
    z.object({ name: z.string().optional(), function: z.object({ name: z.string() }).optional() }),
  ),
});

/** `{type: 'function', name}` (Responses) or `{type: 'function', function: {name}}` (chat completions). */
export const toolChoiceSchema = z.union([
  z.enum(['auto', 'none', 'required']),
  // `{type, mode, tools: [...]}` (Responses) or `{type, allowed_tools: {mode, tools: [...]}}` (chat completions).
  z
    .object({
      type: z.literal('allowed_tools'),
      allowed_tools: z.unknown(),
      mode: z.unknown(),
      tools: z.unknown(),
    })
    .transform((choice) => {
      const { mode, tools } = allowedSchema.parse(choice.allowed_tools ?? choice);
      return { mode, allowed: tools.map((tool) => tool.name ?? tool.function?.name ?? '') };
    }),
  z
    .object({ name: z.string().optional(), function: z.object({ name: z.string() }).optional() })
    .transform(({ name, function: called }) => ({ name: name ?? called?.name ?? '' })),
]);

export function openAiError(status: number, kind: ErrorKind, message: string) {
  const codes: Readonly<Record<number, string>> = { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' };
  const isTooLong = kind === 'context-length';
  return {
    error: {
      message: isTooLong ? 'Your input exceeds the context window of this model.' : message,
      type: status >= 500 ? 'server_error' : 'invalid_request_error',
      param: null,
      code: isTooLong ? 'context_length_exceeded' : (codes[status] ?? null),
    },
  };
}
