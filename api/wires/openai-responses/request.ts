/**
 * OpenAI's Responses request -> ours. What we cannot do is refused with the name of the field; what has no effect on
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
import { type GenerationRequest, modelNameSchema } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { createConversation, given, systemOf } from '../conversation.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { effortOf } from '../openai-efforts.ts';
import { metadataSchema, type Origin, type WireRequest } from '../wire.ts';

/** What a response must echo and our input does not hold. */
export interface ResponseOrigin extends Origin {
  readonly format: 'openai-responses';
  readonly store: boolean;
  readonly background: boolean;
  readonly previousResponseId: string | null;
  /** The first message of the input that belongs to this response; those before are of the conversation. */
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
  type: z.literal('function', 'only function tools can be used here'),
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

/** @param conversation the messages before this response's own. */
export function toGeneration(
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
  const own = messagesOf(items);
  const format = body.text?.format ?? { type: 'text' as const };
  return {
    request: {
      ...resolveModel(config, body.model),
      input: [...conversation, ...own],
      ...systemOf([instructions, ...items.flatMap(systemTextOf)]),
      ...given('maxOutputTokens', body.max_output_tokens),
      ...given('temperature', body.temperature),
      ...given('topP', body.top_p),
      ...toolsOf(body),
      ...(format.type === 'json_schema' ? { output: { name: format.name, schema: format.schema } } : {}),
      ...(format.type === 'json_object' ? { output: { name: 'answer', schema: { type: 'object' } } } : {}),
      ...effortOf(body.reasoning?.effort),
      ...given('metadata', body.metadata),
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

function toolsOf({
  tools,
  tool_choice: choice,
}: ResponseCreate): Pick<GenerationRequest, 'tools' | 'toolChoice'> {
  if (tools === null || tools === undefined || tools.length === 0) return {};
  const ours = tools.map(
    ({ name, description, parameters }): Tool => ({
      name,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(description === null || description === undefined ? {} : { description }),
    }),
  );
  const toolChoice: ToolChoice | undefined =
    typeof choice === 'object' && choice !== null ? { name: choice.name } : (choice ?? undefined);
  return { tools: ours, ...(toolChoice === undefined ? {} : { toolChoice }) };
}

function systemTextOf(item: Item): string[] {
  if (!('role' in item) || (item.role !== 'system' && item.role !== 'developer')) return [];
  return [
    partsOfContent(item.content)
      .map((part) => ('text' in part ? part.text : ''))
      .join(''),
  ];
}

function messagesOf(items: readonly Item[]): readonly Message[] {
  const conversation = createConversation();
  for (const item of items) {
    if (item.type === 'function_call') {
      conversation.addCall({ id: item.call_id, name: item.name, arguments: item.arguments });
    } else if (item.type === 'function_call_output') {
      const { output } = item;
      const content = typeof output === 'string' ? output : output.map(({ text }) => text).join('');
      conversation.addResult({ id: item.call_id, content });
    } else if ('role' in item && (item.role === 'user' || item.role === 'assistant')) {
      const { role, content: own } = item;
      conversation.add(role, typeof own === 'string' ? own : partsOfContent(own));
    }
  }
  return conversation.messages;
}

function partsOfContent(given: z.infer<typeof content>): Part[] {
  if (typeof given === 'string') return [{ type: 'text', text: given }];
  return given.flatMap((part): Part[] => {
    if (part.type === 'input_image') return [{ type: 'image', url: part.image_url }];
    const text = part.type === 'refusal' ? part.refusal : part.text;
    return text === '' ? [] : [{ type: 'text', text }];
  });
}
