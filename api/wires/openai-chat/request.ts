/**
 * Maps OpenAI's chat completions request to ours. A field that we cannot honour is refused by name; a field without
 * effect on the answer is ignored. Source: the types of the official client, ChatCompletionCreateParams.
 */
import { z } from 'zod';
import { jsonSchemaSchema, type Part, type ToolChoice } from '../../../contracts/content.ts';
import { type GenerationRequest, metadataSchema, modelNameSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { Conversation, fieldIfPresent, joinSystemTexts } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { mapOpenAiEffort } from '../openai-efforts.ts';
import type { Origin, WireRequest } from '../wire.ts';

/** The facts of a request that its answer depends on. */
interface ChatOrigin extends Origin {
  readonly format: 'openai-chat';
  /** false if the caller says so: then no request finds the generation, and its answer is not cached. */
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
  n: z.literal(1, 'only one choice is supported').nullish(),
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
        type: z.literal('function', 'only function tools are supported'),
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
  frequency_penalty: z.literal(0, 'not all providers support penalties').nullish(),
  presence_penalty: z.literal(0, 'not all providers support penalties').nullish(),
  logprobs: z.literal(false, 'log probabilities are not stored').nullish(),
  functions: absent,
  audio: absent,
});
type ChatCompletionRequest = z.infer<typeof chatCompletionSchema>;

export function mapChatRequest(config: Config, body: ChatCompletionRequest): WireRequest<ChatOrigin> {
  const conversation = new Conversation();
  for (const message of body.messages) {
    if (message.role === 'user') conversation.addTurn('user', chatParts(message.content));
    else if (message.role === 'assistant') {
      conversation.addTurn('assistant', chatParts(message.content ?? ''));
      for (const call of message.tool_calls ?? [])
        conversation.addToolCall({ id: call.id, ...call.function });
    } else if (message.role === 'tool') {
      conversation.addToolResult({ id: message.tool_call_id, content: chatText(message.content) });
    }
  }
  const system = body.messages.flatMap((message) =>
    message.role === 'system' || message.role === 'developer' ? [chatText(message.content)] : [],
  );
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    input: [...conversation.messages],
    ...joinSystemTexts(system),
    ...fieldIfPresent('maxOutputTokens', body.max_completion_tokens ?? body.max_tokens),
    ...fieldIfPresent('temperature', body.temperature),
    ...fieldIfPresent('topP', body.top_p),
    ...fieldIfPresent('stop', stop?.length === 0 ? null : stop),
    ...chatTools(body),
    ...chatOutput(body.response_format),
    ...mapOpenAiEffort(body.reasoning_effort),
    ...fieldIfPresent('metadata', body.metadata),
    ...endUserOf(body.user),
  };
  const origin = { format: 'openai-chat' as const, model: body.model };
  return { request, origin: body.store === false ? { ...origin, store: false } : origin };
}

function chatTools({ tools, tool_choice: choice }: ChatCompletionRequest): Partial<GenerationRequest> {
  if (tools === null || tools === undefined || tools.length === 0) return {};
  const toolChoice: ToolChoice | null | undefined =
    typeof choice === 'object' && choice !== null ? { name: choice.function.name } : choice;
  return {
    tools: tools.map(({ function: { name, description, parameters } }) => ({
      name,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(description === null || description === undefined ? {} : { description }),
    })),
    ...fieldIfPresent('toolChoice', toolChoice),
  };
}

function chatOutput(format: ChatCompletionRequest['response_format']): Partial<GenerationRequest> {
  if (format?.type === 'json_schema') return { output: { ...format.json_schema } };
  return format?.type === 'json_object' ? { output: { name: 'answer', schema: { type: 'object' } } } : {};
}

type Content = string | readonly z.infer<typeof textPart | typeof refusalPart | typeof imagePart>[];

function chatParts(content: Content): string | Part[] {
  if (typeof content === 'string') return content;
  return content.flatMap((part): Part[] => {
    if (part.type === 'image_url') return [{ type: 'image', url: part.image_url.url }];
    const text = part.type === 'text' ? part.text : part.refusal;
    return text === '' ? [] : [{ type: 'text', text }];
  });
}

function chatText(content: z.infer<typeof texts>): string {
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('');
}
