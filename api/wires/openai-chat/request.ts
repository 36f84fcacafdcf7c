/**
 * OpenAI's chat completions request -> ours. What we cannot do is refused with the name of the field; what has no
 * effect on the answer is ignored. Source: the types of the official client, ChatCompletionCreateParams.
 */
import { z } from 'zod';
import { jsonSchemaSchema, type Part, type ToolChoice } from '../../../contracts/content.ts';
import { type GenerationRequest, modelNameSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { createConversation, given, systemOf } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { effortOf } from '../openai-efforts.ts';
import { metadataSchema, type Origin, type WireRequest } from '../wire.ts';

/** What must be known of a request when its answer has been given. */
export interface ChatOrigin extends Origin {
  readonly format: 'openai-chat';
  /** false where the caller said so: then nobody finds it, and its answer is not kept for others. */
  readonly store?: false;
}

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() });
const imagePart = z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) });
const texts = z.union([z.string(), z.array(textPart).max(LIMITS.partsPerMessage)]);

const messageSchema = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: texts }),
  z.object({
    role: z.literal('user'),
    content: z.union([
      z.string(),
      z.array(z.discriminatedUnion('type', [textPart, imagePart])).max(LIMITS.partsPerMessage),
    ]),
  }),
  z.object({
    role: z.literal('assistant'),
    content: z
      .union([
        z.string(),
        z.array(z.discriminatedUnion('type', [textPart, refusalPart])).max(LIMITS.partsPerMessage),
      ])
      .nullish(),
    tool_calls: z
      .array(
        z.object({
          id: z.string(),
          type: z.literal('function'),
          function: z.object({ name: z.string(), arguments: z.string() }),
        }),
      )
      .max(LIMITS.partsPerMessage)
      .nullish(),
  }),
  z.object({ role: z.literal('tool'), tool_call_id: z.string(), content: texts }),
]);

const absent = z.union([z.null(), z.undefined()]).optional();

export const chatCompletionSchema = z.object({
  model: modelNameSchema,
  messages: z.array(messageSchema).min(1).max(LIMITS.itemsPerRequest),
  n: z.literal(1, 'only one choice can be asked for').nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(LIMITS.stopSequences)]).nullish(),
  tools: z
    .array(
      z.object({
        type: z.literal('function', 'only function tools can be used here'),
        function: z.object({
          name: z.string(),
          description: z.string().nullish(),
          parameters: jsonSchemaSchema.nullish(),
        }),
      }),
    )
    .max(LIMITS.toolsPerRequest)
    .nullish(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) }),
    ])
    .nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.literal('text') }),
      z.object({ type: z.literal('json_object') }),
      z.object({
        type: z.literal('json_schema'),
        json_schema: z.object({ name: z.string(), schema: jsonSchemaSchema }),
      }),
    ])
    .nullish(),
  reasoning_effort: z.string().nullish(),
  metadata: metadataSchema.nullish(),
  user: z.string().nullish(),
  frequency_penalty: z.literal(0, 'penalties are not carried to all providers').nullish(),
  presence_penalty: z.literal(0, 'penalties are not carried to all providers').nullish(),
  logprobs: z.literal(false, 'log probabilities are not kept').nullish(),
  functions: absent,
  audio: absent,
});
export type ChatCompletionRequest = z.infer<typeof chatCompletionSchema>;

export function toGeneration(config: Config, body: ChatCompletionRequest): WireRequest<ChatOrigin> {
  const conversation = createConversation();
  for (const message of body.messages) {
    if (message.role === 'user') conversation.add('user', partsOf(message.content));
    else if (message.role === 'assistant') {
      conversation.add('assistant', partsOf(message.content ?? ''));
      for (const call of message.tool_calls ?? []) conversation.addCall({ id: call.id, ...call.function });
    } else if (message.role === 'tool') {
      conversation.addResult({ id: message.tool_call_id, content: textOf(message.content) });
    }
  }
  const system = body.messages.flatMap((message) =>
    message.role === 'system' || message.role === 'developer' ? [textOf(message.content)] : [],
  );
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    input: [...conversation.messages],
    ...systemOf(system),
    ...given('maxOutputTokens', body.max_completion_tokens ?? body.max_tokens),
    ...given('temperature', body.temperature),
    ...given('topP', body.top_p),
    ...given('stop', stop?.length === 0 ? null : stop),
    ...toolsOf(body),
    ...outputOf(body.response_format),
    ...effortOf(body.reasoning_effort),
    ...given('metadata', body.metadata),
    ...endUserOf(body.user),
  };
  const origin = { format: 'openai-chat' as const, model: body.model };
  return { request, origin: body.store === false ? { ...origin, store: false } : origin };
}

function toolsOf({ tools, tool_choice: choice }: ChatCompletionRequest): Partial<GenerationRequest> {
  if (tools === null || tools === undefined || tools.length === 0) return {};
  const toolChoice: ToolChoice | null | undefined =
    typeof choice === 'object' && choice !== null ? { name: choice.function.name } : choice;
  return {
    tools: tools.map(({ function: { name, description, parameters } }) => ({
      name,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(description === null || description === undefined ? {} : { description }),
    })),
    ...given('toolChoice', toolChoice),
  };
}

function outputOf(format: ChatCompletionRequest['response_format']): Partial<GenerationRequest> {
  if (format?.type === 'json_schema') return { output: { ...format.json_schema } };
  return format?.type === 'json_object' ? { output: { name: 'answer', schema: { type: 'object' } } } : {};
}

type Content = string | readonly z.infer<typeof textPart | typeof refusalPart | typeof imagePart>[];

function partsOf(content: Content): string | Part[] {
  if (typeof content === 'string') return content;
  return content.flatMap((part): Part[] => {
    if (part.type === 'image_url') return [{ type: 'image', url: part.image_url.url }];
    const text = part.type === 'text' ? part.text : part.refusal;
    return text === '' ? [] : [{ type: 'text', text }];
  });
}

function textOf(content: z.infer<typeof texts>): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}
