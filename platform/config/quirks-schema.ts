/** Where a vendor deviates from OpenAI's chat completions. */
import { z } from 'zod';
import { reasoningEfforts } from '../../contracts/generation.ts';

export const quirksSchema = z
  .strictObject({
    maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).describe('max_tokens if absent.'),
    streamOptions: z.boolean().describe('false: rejects stream_options, and reports usage without it.'),
    reasoningEffort: z
      .enum(['reasoning_effort', 'reasoning-object', 'thinking-switch', 'switch-and-effort', 'none'])
      .describe(
        'The field that sets the reasoning effort; reasoning_effort if absent. thinking-switch: `thinking` is enabled or ' +
          'disabled; switch-and-effort: that, and reasoning_effort.',
      ),
    efforts: z
      .array(z.enum(reasoningEfforts))
      .min(1)
      .describe(
        'The efforts that the vendor takes; the nearest is sent. Absent: those of the model, or any.',
      ),
    seedField: z.enum(['seed', 'random_seed']).describe('The field that takes the seed; seed if absent.'),
    promptCacheKey: z
      .enum(['prompt_cache_key', 'x-grok-conv-id'])
      .describe('The field or header that takes the key of a conversation, for its prompt cache.'),
    reasoningContent: z
      .enum(['ignored', 'tool-turns'])
      .describe(
        'tool-turns: a turn with tool calls must have its reasoning_content back, even an empty one. ignored if absent.',
      ),
    prefill: z
      .enum(['plain', 'prefix', 'beta-prefix', 'continue-final-message'])
      .describe(
        'How a last assistant message is marked as the beginning of the answer. plain, the default: not at all; prefix: by `prefix: true`; beta-prefix: the same, at the address that ends in /beta; continue-final-message: by the fields of vLLM.',
      ),
    systemMessages: z
      .enum(['anywhere', 'first'])
      .describe(
        'first: the server takes one system message, at the beginning; all are joined there. anywhere if absent.',
      ),
    turns: z
      .enum(['any', 'alternate', 'assistant-after-tool'])
      .describe(
        'alternate: neighbouring messages of one role are joined, and the first is of the user; assistant-after-tool: a ' +
          'short message of the assistant separates the results of tools from what the user says after them. any if absent.',
      ),
    messageFields: z
      .array(z.string().min(1).max(64))
      .max(64)
      .describe(
        'The fields of messages that the vendor takes besides role, content and tool calls; others that only help are ' +
          'left out. Absent: any.',
      ),
    remoteImages: z
      .boolean()
      .describe(
        'false: the server loads no image from an address, so a request with such an image does not go there. true if absent.',
      ),
    toolCallIds: z.enum(['any', 'nine-alphanumeric']).describe('Which ids of tool calls the vendor accepts.'),
    vendorRules: z
      .boolean()
      .describe(
        "false: requests are not held to the rules of the wire's vendor. openai-chat: true: OpenAI's rules at another server.",
      ),
  })
  .partial();
