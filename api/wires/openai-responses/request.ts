/**
 * Maps OpenAI's Responses request to ours. A field that our format lacks stays with what it belongs to and reaches the
 * providers of this format (docs/wires-fields.md). Source: the types of the official client, ResponseCreateParams.
 */
import { z } from 'zod';
import { LEAST_COMPACT_TOKENS } from '../../../contracts/compaction.ts';
import { functionTools, jsonSchemaSchema, type Message, type Tools } from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import {
  type GenerationRequest,
  metadataSchema,
  modelNameSchema,
  reasoningEfforts,
  verbosities,
} from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { fieldIfPresent } from '../conversation.ts';
import { refuseDemand } from '../demanded-tool.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { nativeRequest } from '../native.ts';
import type { Origin, WireRequest } from '../wire.ts';
import { type Item, itemSchema, mapInputItems, refuseFileIds, refuseTriggers } from './items.ts';
import {
  additionalToolsIn,
  assertToolsRunHere,
  mapResponseToolChoice,
  mapResponseTools,
  responseToolChoiceSchema,
  responseToolSchema,
} from './tools.ts';

const FORMAT = 'openai-responses';

/** Request fields that a response must echo and that our input does not hold. */
export interface ResponseOrigin extends Origin {
  readonly format: 'openai-responses';
  readonly store: boolean;
  readonly background: boolean;
  readonly previousResponseId: string | null;
  /** The stored conversation that this response is a turn of. */
  readonly conversation?: string;
  /** Index of the first input message that belongs to this response; earlier ones belong to the conversation. */
  readonly ownFrom: number;
  /** How much of the system text is `instructions`; the rest came as messages. */
  readonly instructionsChars: number;
  readonly textFormat: 'text' | 'json_schema' | 'json_object';
  readonly parallelToolCalls: boolean;
  /** Whether items of reasoning contain what only the vendor can read, so that the client can send them back. */
  readonly includesReasoning?: boolean;
  readonly user: string | null;
}

const formatSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string(),
    description: z.string().nullish(),
    schema: jsonSchemaSchema,
    strict: z.boolean().nullish(),
  }),
]);
export const ENCRYPTED_REASONING = 'reasoning.encrypted_content';
const LOGPROBS = 'message.output_text.logprobs';

/** Without a threshold the conversation is compacted when it nearly fills the window. */
const compactionEntry = z.object({
  type: z.literal('compaction'),
  compact_threshold: z.int().min(LEAST_COMPACT_TOKENS).nullish(),
});

export const responseCreateSchema = z.looseObject({
  model: modelNameSchema.default('unbroken'),
  /** Empty in a turn that adds nothing to what it continues from. */
  input: z.union([z.string(), z.array(itemSchema).max(LIMITS.itemsPerRequest)]).optional(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: z.union([z.string(), z.object({ id: z.string() })]).nullish(),
  stream: z.boolean().nullish(),
  background: z.boolean().nullish(),
  store: z.boolean().nullish(),
  max_output_tokens: z.int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  frequency_penalty: z.number().nullish(),
  tools: z.array(responseToolSchema).max(LIMITS.toolsPerRequest).nullish(),
  tool_choice: responseToolChoiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: formatSchema.nullish(), verbosity: z.enum(verbosities).nullish() }).nullish(),
  reasoning: z.looseObject({ effort: z.enum(reasoningEfforts).nullish() }).nullish(),
  include: z.array(z.string()).max(64).nullish(),
  context_management: z.array(compactionEntry).max(8).nullish(),
  top_logprobs: z.int().min(0).max(LIMITS.topLogprobs).nullish(),
  metadata: metadataSchema.nullish(),
  user: z.string().max(LIMITS.endUserChars).nullish(),
});
export type ResponseCreate = z.infer<typeof responseCreateSchema>;

/** The fields that are mapped; all others are `native`. */
const MAPPED = {
  model: true,
  input: true,
  instructions: true,
  previous_response_id: true,
  conversation: true,
  stream: true,
  background: true,
  store: true,
  max_output_tokens: true,
  temperature: true,
  top_p: true,
  presence_penalty: true,
  frequency_penalty: true,
  tools: true,
  tool_choice: true,
  parallel_tool_calls: true,
  text: {
    format: { type: true, name: true, description: true, schema: true, strict: true },
    verbosity: true,
  },
  reasoning: { effort: true },
  top_logprobs: true,
  metadata: true,
  // Done here, so that any model of the route can continue from it.
  context_management: true,
  // Of a frame of the WebSocket.
  type: true,
  stream_id: true,
  generate: true,
} as const;

/** The frames that a client sends in WebSocket mode. */
export const responsesFrameSchema = z.discriminatedUnion('type', [
  z.looseObject({
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

/** The stored conversation that a request names. @throws invalid_request beside a previous response */
export function conversationIdOf(body: ResponseCreate): string | null {
  const { conversation, previous_response_id: previous } = body;
  if (conversation === null || conversation === undefined) return null;
  if (previous !== null && previous !== undefined) {
    throw new UnbrokenError(
      'invalid_request',
      'conversation: a request continues from a conversation or from previous_response_id, not from both.',
      { details: { param: 'conversation' } },
    );
  }
  return typeof conversation === 'string' ? conversation : conversation.id;
}

/** What a response continues from: the messages before its input, and the tools that stood among them. */
export interface ResponseHistory {
  readonly messages: readonly Message[];
  readonly tools: Tools;
}

export function mapResponseCreate(
  config: Config,
  body: ResponseCreate,
  before: ResponseHistory,
): WireRequest<ResponseOrigin> {
  const conversationId = conversationIdOf(body);
  const items: readonly Item[] =
    typeof body.input === 'string' ? [{ role: 'user', content: body.input }] : (body.input ?? []);
  if (body.background === true && body.store === false) {
    throw new UnbrokenError('invalid_request', 'background: a response in the background must be stored.', {
      details: { param: 'background' },
    });
  }
  const instructions = body.instructions ?? '';
  refuseFileIds(items, 'input');
  refuseTriggers(items);
  const own = mapInputItems(items);
  const format = body.text?.format ?? { type: 'text' as const };
  const effort = body.reasoning?.effort;
  return {
    request: {
      ...resolveModel(config, body.model),
      input: [...before.messages, ...own],
      ...(instructions === '' ? {} : { system: instructions }),
      ...fieldIfPresent('maxOutputTokens', body.max_output_tokens),
      ...fieldIfPresent('temperature', body.temperature),
      ...fieldIfPresent('topP', body.top_p),
      // 0 is what they are without a value, and most providers of this format refuse them.
      ...fieldIfPresent('presencePenalty', body.presence_penalty || null),
      ...fieldIfPresent('frequencyPenalty', body.frequency_penalty || null),
      ...fieldIfPresent('verbosity', body.text?.verbosity),
      ...fieldIfPresent('logprobs', logprobsOf(body)),
      ...mapToolFields(body, [...additionalToolsIn(items), ...before.tools]),
      ...mapResponseFormat(format),
      ...(effort === null || effort === undefined ? {} : { reasoning: { effort } }),
      ...fieldIfPresent('metadata', body.metadata),
      ...endUserOf(body.user),
      ...nativeRequest(FORMAT, body, MAPPED),
    },
    ...compactAtOf(body),
    origin: {
      format: FORMAT,
      model: body.model,
      store: body.store ?? true,
      background: body.background ?? false,
      previousResponseId: body.previous_response_id ?? null,
      ...(conversationId === null ? {} : { conversation: conversationId }),
      ownFrom: before.messages.length,
      instructionsChars: instructions.length,
      textFormat: format.type,
      parallelToolCalls: body.parallel_tool_calls ?? true,
      includesReasoning: body.include?.includes(ENCRYPTED_REASONING) === true,
      user: body.user ?? null,
    },
  };
}

function compactAtOf({ context_management: entries }: ResponseCreate): Pick<WireRequest, 'compactAt'> {
  if (entries === null || entries === undefined || entries.length === 0) return {};
  const thresholds = entries.flatMap(({ compact_threshold: own }) => own ?? []);
  return { compactAt: thresholds.length === 0 ? null : Math.min(...thresholds) };
}

/** A count alone asks for them too: it has no other meaning. */
function logprobsOf({ include, top_logprobs: top }: ResponseCreate): number | null {
  return include?.includes(LOGPROBS) === true ? (top ?? 0) : top || null;
}

function mapResponseFormat(format: z.infer<typeof formatSchema>): Pick<GenerationRequest, 'output'> {
  if (format.type === 'json_object') return { output: { name: 'answer' } };
  if (format.type !== 'json_schema') return {};
  const { name, schema, strict, description } = format;
  const described = description === null || description === undefined ? {} : { description };
  return { output: { name, schema, strict: strict ?? false, ...described } };
}

function mapToolFields(
  { tools, tool_choice: choice, parallel_tool_calls: parallel }: ResponseCreate,
  additional: Tools,
): Pick<GenerationRequest, 'tools' | 'toolChoice' | 'parallelToolCalls'> {
  const own = mapResponseTools(tools ?? [], 'tools');
  const named = new Set(functionTools(own).map(({ name }) => name));
  const mapped = [...own, ...functionTools(additional).filter(({ name }) => !named.has(name))];
  if (mapped.length === 0) {
    refuseDemand(mapResponseToolChoice(choice));
    return {};
  }
  assertToolsRunHere(mapped);
  return {
    tools: mapped,
    ...fieldIfPresent('toolChoice', mapResponseToolChoice(choice)),
    ...fieldIfPresent('parallelToolCalls', parallel),
  };
}
