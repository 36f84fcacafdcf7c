/** Builds the body of `POST /chat/completions` from a call. Source: OpenAI API reference, "Create chat completion". */
import { createHash } from 'node:crypto';
import type {
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { type Message, partsOf } from '../../../contracts/content.ts';
import { continueInstruction } from '../continue-instruction.ts';
import { partsOfType, plainText } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';

type Quirks = NonNullable<ProviderSettings['quirks']>;
/** Fields that vendors have added to the format. */
type ChatRequest = ChatCompletionCreateParamsStreaming & { reasoning?: { effort: string } };

export function buildOpenAiChatRequest(
  { model, input, maxOutputTokens, resume }: ProviderCall,
  quirks: Quirks = {},
): ChatRequest {
  const continued = 'deliveredText' in resume ? continueInstruction(resume.deliveredText) : [];
  const { system, temperature, topP, stop, tools, toolChoice, output, reasoning } = input;
  const idOf = quirks.toolCallIds === 'nine-alphanumeric' ? nineAlphanumeric : (id: string) => id;
  return {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...[...input.messages, ...continued].flatMap((message) => toOpenAiChatMessages(message, idOf)),
    ],
    stream: true,
    [quirks.maxTokensField ?? 'max_tokens']: maxOutputTokens,
    ...(quirks.streamOptions === false ? {} : { stream_options: { include_usage: true } }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stop === undefined ? {} : { stop: [...stop] }),
    ...(tools === undefined
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }) => ({
            type: 'function' as const,
            function: { name, parameters, ...(description === undefined ? {} : { description }) },
          })),
        }),
    ...(toolChoice === undefined
      ? {}
      : {
          tool_choice:
            typeof toolChoice === 'string'
              ? toolChoice
              : { type: 'function' as const, function: { name: toolChoice.name } },
        }),
    ...(output === undefined
      ? {}
      : { response_format: { type: 'json_schema' as const, json_schema: { ...output, strict: true } } }),
    ...(reasoning === undefined ? {} : effortField(reasoning.effort, quirks)),
  };
}

function effortField(effort: 'low' | 'medium' | 'high', { reasoningEffort }: Quirks): Partial<ChatRequest> {
  if (reasoningEffort === 'none') return {};
  return reasoningEffort === 'reasoning-object' ? { reasoning: { effort } } : { reasoning_effort: effort };
}

/** Tool results are separate messages, before the user's text of the same message. */
function toOpenAiChatMessages(message: Message, idOf: (id: string) => string): ChatCompletionMessageParam[] {
  const text = plainText(message);
  if (message.role === 'assistant') {
    const calls = partsOfType(message, 'tool-call').map(({ id, name, arguments: written }) => ({
      id: idOf(id),
      type: 'function' as const,
      function: { name, arguments: written },
    }));
    return [
      {
        role: 'assistant',
        content: text === '' ? null : text,
        ...(calls.length === 0 ? {} : { tool_calls: calls }),
      },
    ];
  }
  const results = partsOfType(message, 'tool-result').map(
    ({ id, content }): ChatCompletionMessageParam => ({ role: 'tool', tool_call_id: idOf(id), content }),
  );
  const content = partsOf(message).flatMap((part): ChatCompletionContentPart[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text }];
    return part.type === 'image' ? [{ type: 'image_url', image_url: { url: part.url } }] : [];
  });
  if (content.length === 0) return results;
  const hasImage = content.some(({ type }) => type === 'image_url');
  // Plain text as a plain string: not every vendor accepts a list.
  return [...results, { role: 'user', content: hasImage ? content : text }];
}

/** Mistral accepts only ids of this form; the same id always maps to the same one. */
function nineAlphanumeric(id: string): string {
  return /^[A-Za-z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9);
}
