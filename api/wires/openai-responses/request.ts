/**
 * Maps OpenAI's Responses request to ours. A field that we cannot honour is refused by name; a field without effect on
 * the answer (such as `service_tier`) is ignored. Source: the types of the official client, ResponseCreateParams.
 */
import { z } from 'zod';
import {
  jsonSchemaSchema,
  type Message,
  type Part,
  type Tool,
  type ToolChoice,
} from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { type GenerationRequest, metadataSchema, modelNameSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { Conversation, fieldIfPresent, joinSystemTexts } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { mapOpenAiEffort } from '../openai-efforts.ts';
import type { Origin, WireRequest } from '../wire.ts';

/** Request fields that a response must echo and that our input does not hold. */
export interface ResponseOrigin extends Origin {
  readonly format: 'openai-responses';
  readonly store: boolean;
  readonly background: boolean;
  readonly previousResponseId: string | null;
  /** Index of the first input message that belongs to this response; earlier ones belong to the conversation. */
  readonly ownFrom: number;
  /** How much of the system text is `instructions`; the rest came as messages. */
  readonly instructionsChars: number;
  readonly textFormat: 'text' | 'json_schema' | 'json_object';
  readonly parallelToolCalls: boolean;
  readonly user: string | null;
}

const absent = z.union([z.null(), z.undefined()]);
const textContent = z.object({ type: z.enum(['input_text', 'output_text']), text: z.string() });
const imageContent = z.object({ type: z.literal('input_image'), image_url: z.string() });
const refusalContent = z.object({ type: z.literal('refusal'), refusal: z.string() });
const content = z.union([
  z.string(),
  z
    .array(z.discriminatedUnion('type', [textContent, imageContent, refusalContent]))
    .max(LIMITS.partsPerMessage),
]);

const itemSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message').optional(),
    role: z.enum(['user', 'assistant', 'system', 'developer']),
    content,
  }),
  z.object({
    type: z.literal('function_call'),
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
  z.object({
    type: z.literal('function_call_output'),
    call_id: z.string(),
    output: z.union([z.string(), z.array(textContent).max(LIMITS.partsPerMessage)]),
  }),
  z.object({ type: z.literal('reasoning') }),
]);
type Item = z.infer<typeof itemSchema>;

const toolSchema = z.object({
  type: z.literal('function', 'only function tools are supported'),
  name: z.string(),
  description: z.string().nullish(),
  parameters: jsonSchemaSchema.nullish(),
});

const formatSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    name: z.string(),
    schema: jsonSchemaSchema,
  }),
]);

export const responseCreateSchema = z.object({
  model: modelNameSchema.default('unbroken'),
  input: z.union([z.string(), z.array(itemSchema).min(1).max(LIMITS.itemsPerRequest)]).optional(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  stream: z.boolean().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  max_output_tokens: z.int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  tools: z.array(toolSchema).max(LIMITS.toolsPerRequest).nullish(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.object({ type: z.literal('function'), name: z.string() }),
    ])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.object({ format: formatSchema.nullish() }).nullish(),
  reasoning: z.object({ effort: z.string().nullish() }).nullish(),
  metadata: metadataSchema.nullish(),
  user: z.string().max(LIMITS.endUserChars).nullish(),
  conversation: absent.optional(),
  prompt: absent.optional(),
  top_logprobs: z.literal(0).nullish(),
});
export type ResponseCreate = z.infer<typeof responseCreateSchema>;

/** The frames that a client sends in WebSocket mode. */
export const responsesFrameSchema = z.discriminatedUnion('type', [
  z.object({
    ...responseCreateSchema.shape,
    type: z.literal('response.create'),
    stream_id: z.string().min(1).max(128).optional(),
    generate: z.boolean().optional(),
  }),
  z.object({
    type: z.literal('response.steer'),
    previous_response_id: z.string().max(LIMITS.idChars),
    input: z.unknown(),
  }),
]);
export type CreateFrame = Extract<z.infer<typeof responsesFrameSchema>, { type: 'response.create' }>;

/** @param conversation the messages before the input of this response. */
export function mapResponseCreate(
  config: Config,
  body: ResponseCreate,
  conversation: readonly Message[],
): WireRequest<ResponseOrigin> {
  const items: readonly Item[] =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? []);
  if (body.background === true && body.store === false) {
    throw new UnbrokenError('invalid_request', 'background: a response in the background must be stored.', {
      details: { param: 'background' },
    });
  }
  const instructions = body.instructions ?? '';
  const own = mapInputItems(items);
  const format = body.text?.format ?? { type: 'text' as const };
  return {
    request: {
      ...resolveModel(config, body.model),
      input: [...conversation, ...own],
      ...joinSystemTexts([instructions, ...items.flatMap(systemTexts)]),
      ...fieldIfPresent('maxOutputTokens', body.max_output_tokens),
      ...fieldIfPresent('temperature', body.temperature),
      ...fieldIfPresent('topP', body.top_p),
      ...mapResponseTools(body),
      ...(format.type === 'json_schema' ? { output: { name: format.name, schema: format.schema } } : {}),
      ...(format.type === 'json_object' ? { output: { name: 'answer', schema: { type: 'object' } } } : {}),
      ...mapOpenAiEffort(body.reasoning?.effort),
      ...fieldIfPresent('metadata', body.metadata),
      ...endUserOf(body.user),
    },
    origin: {
      format: 'openai-responses',
      model: body.model,
      store: body.store ?? true,
      background: body.background ?? false,
      previousResponseId: body.previous_response_id ?? null,
      ownFrom: conversation.length,
      instructionsChars: instructions.length,
      textFormat: format.type,
      parallelToolCalls: body.parallel_tool_calls ?? true,
      user: body.user ?? null,
    },
  };
}

function mapResponseTools({
  tools,
  tool_choice: choice,
}: ResponseCreate): Pick<GenerationRequest, 'tools' | 'toolChoice'> {
  if (tools === null || tools === undefined || tools.length === 0) return {};
  const mapped = tools.map(
    ({ name, description, parameters }): Tool => ({
      name,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(description === null || description === undefined ? {} : { description }),
    }),
  );
  const toolChoice: ToolChoice | undefined =
    typeof choice === 'object' && choice !== null ? { name: choice.name } : (choice ?? undefined);
  return { tools: mapped, ...(toolChoice === undefined ? {} : { toolChoice }) };
}

function systemTexts(item: Item): string[] {
  if (!('role' in item) || (item.role !== 'system' && item.role !== 'developer')) return [];
  return [
    inputContentParts(item.content)
      .map((part) => ('text' in part ? part.text : ''))
      .join(''),
  ];
}

function mapInputItems(items: readonly Item[]): readonly Message[] {
  const conversation = new Conversation();
  for (const item of items) {
    if (item.type === 'function_call') {
      conversation.addToolCall({ id: item.call_id, name: item.name, arguments: item.arguments });
    } else if (item.type === 'function_call_output') {
      const { output } = item;
      const content = typeof output === 'string' ? output : output.map(({ text }) => text).join('');
      conversation.addToolResult({ id: item.call_id, content });
    } else if ('role' in item && (item.role === 'user' || item.role === 'assistant')) {
      const { role, content: own } = item;
      conversation.addTurn(role, typeof own === 'string' ? own : inputContentParts(own));
    }
  }
  return conversation.messages;
}

function inputContentParts(value: z.infer<typeof content>): Part[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  return value.flatMap((part): Part[] => {
    if (part.type === 'input_image') return [{ type: 'image', url: part.image_url }];
    const text = part.type === 'refusal' ? part.refusal : part.text;
    return text === '' ? [] : [{ type: 'text', text }];
  });
}
