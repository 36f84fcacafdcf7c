/**
 * Maps OpenAI's chat completions request to ours. A field that our format lacks stays with what it belongs to and
 * reaches the providers of this format (docs/wires-fields.md). Source: the types of the official client,
 * ChatCompletionCreateParams.
 */
import { z } from 'zod';
import {
  callArgumentsSchema,
  type NativeFields,
  type Part,
  type ReasoningPart,
} from '../../../contracts/content.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import {
  type GenerationRequest,
  metadataSchema,
  modelNameSchema,
  reasoningEfforts,
  verbosities,
} from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { seedSchema } from '../../../contracts/seed.ts';
import { isSealed } from '../../../engine/reasoning/seals.ts';
import type { Config } from '../../../platform/config/load-config.ts';
import { choicesOf } from '../choices.ts';
import { Conversation, fieldIfPresent, topKOf } from '../conversation.ts';
import { refuseDemand } from '../demanded-tool.ts';
import { endUserOf } from '../end-user.ts';
import { resolveModel } from '../model-name.ts';
import { nativeRequest, nativeRest } from '../native.ts';
import type { Origin, WireRequest } from '../wire.ts';
import {
  FunctionCalls,
  functionCallSchema,
  functionFields,
  functionMessageSchema,
  toolsOf,
} from './functions.ts';
import { answerParts, assistantContent, contentOf, resultContent, texts, userContent } from './parts.ts';
import {
  chatFormatSchema,
  chatToolChoiceSchema,
  chatToolSchema,
  mapChatFormat,
  mapChatTool,
  mapChatToolChoice,
} from './tools.ts';

/** The facts of a request that its answer depends on. */
interface ChatOrigin extends Origin {
  readonly format: 'openai-chat';
  /** false if the caller says so: then no request finds the generation, and its answer is not cached. */
  readonly store?: false;
}

const FORMAT = 'openai-chat';
const messageSchema = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer']), content: texts }),
  z.looseObject({ role: z.literal('user'), content: userContent }),
  z.looseObject({
    role: z.literal('assistant'),
    content: assistantContent.nullish(),
    refusal: z.string().nullish(),
    function_call: functionCallSchema.nullish(),
    tool_calls: z
      .array(
        z.looseObject({
          id: z.string().min(1),
          type: z.literal('function').optional(),
          function: z.looseObject({ name: z.string(), arguments: callArgumentsSchema }),
        }),
      )
      .max(LIMITS.partsPerMessage)
      .nullish(),
  }),
  // OpenAI itself takes texts alone; agents send the pictures of their tools.
  z.looseObject({
    role: z.literal('tool'),
    tool_call_id: z.string(),
    content: userContent.nullish(),
  }),
  functionMessageSchema,
]);
type ChatMessage = z.infer<typeof messageSchema>;

export const chatCompletionSchema = z.looseObject({
  model: modelNameSchema,
  messages: z.array(messageSchema).min(1).max(LIMITS.itemsPerRequest),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.int().min(-1).nullish(),
  seed: seedSchema.nullish(),
  n: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(LIMITS.topLogprobs).nullish(),
  frequency_penalty: z.number().nullish(),
  presence_penalty: z.number().nullish(),
  verbosity: z.enum(verbosities).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(LIMITS.stopSequences)]).nullish(),
  tools: z.array(chatToolSchema).max(LIMITS.toolsPerRequest).nullish(),
  tool_choice: chatToolChoiceSchema.nullish(),
  ...functionFields,
  parallel_tool_calls: z.boolean().nullish(),
  response_format: chatFormatSchema.nullish(),
  reasoning_effort: z.enum(reasoningEfforts).nullish(),
  metadata: metadataSchema.nullish(),
  user: z.string().max(LIMITS.endUserChars).nullish(),
});
export type ChatCompletionRequest = z.infer<typeof chatCompletionSchema>;

/** The fields that are mapped; all others are `native`. */
const MAPPED = {
  model: true,
  messages: true,
  stream: true,
  store: true,
  stream_options: { include_usage: true },
  max_tokens: true,
  max_completion_tokens: true,
  temperature: true,
  top_p: true,
  top_k: true,
  seed: true,
  n: true,
  logprobs: true,
  top_logprobs: true,
  frequency_penalty: true,
  presence_penalty: true,
  verbosity: true,
  stop: true,
  tools: true,
  tool_choice: true,
  functions: true,
  function_call: true,
  parallel_tool_calls: true,
  response_format: {
    type: true,
    json_schema: { name: true, description: true, schema: true, strict: true },
    schema: true,
  },
  reasoning_effort: true,
  metadata: true,
} as const;

export function mapChatRequest(config: Config, body: ChatCompletionRequest): WireRequest<ChatOrigin> {
  const conversation = new Conversation();
  const functionCalls = new FunctionCalls();
  for (const [index, message] of body.messages.entries()) {
    addMessage(conversation, withToolIds(message, index, functionCalls));
  }
  const stop = typeof body.stop === 'string' ? [body.stop] : body.stop;
  const { tools: sent, choice } = toolsOf(body);
  const tools = sent.map(mapChatTool);
  const chosen = mapChatToolChoice(choice);
  if (tools.length === 0) refuseDemand(chosen.toolChoice);
  const request: GenerationRequest = {
    ...resolveModel(config, body.model),
    input: [...conversation.messages],
    ...fieldIfPresent('maxOutputTokens', body.max_completion_tokens ?? body.max_tokens),
    ...fieldIfPresent('temperature', body.temperature),
    ...fieldIfPresent('topP', body.top_p),
    ...fieldIfPresent('topK', topKOf(body.top_k)),
    ...fieldIfPresent('seed', body.seed),
    ...fieldIfPresent('logprobs', logprobsOf(body)),
    // 0 is what they are without a value, and most providers of this format refuse them.
    ...fieldIfPresent('frequencyPenalty', body.frequency_penalty || null),
    ...fieldIfPresent('presencePenalty', body.presence_penalty || null),
    ...fieldIfPresent('verbosity', body.verbosity),
    ...fieldIfPresent('stop', stop?.length === 0 ? null : stop),
    ...(tools.length === 0 ? {} : { tools, ...chosen }),
    ...(tools.length === 0 ? {} : fieldIfPresent('parallelToolCalls', body.parallel_tool_calls)),
    ...mapChatFormat(body.response_format),
    ...(body.reasoning_effort ? { reasoning: { effort: body.reasoning_effort } } : {}),
    ...fieldIfPresent('metadata', body.metadata),
    ...endUserOf(body.user),
    ...nativeRequest(FORMAT, body, MAPPED),
  };
  const origin = { format: FORMAT, model: body.model } as const;
  return {
    request,
    origin: body.store === false ? { ...origin, store: false } : origin,
    choices: choicesOf(config, body.n, body.messages),
  };
}

/** As the vendor's rule has it. @throws invalid_request */
function logprobsOf({ logprobs, top_logprobs: top }: ChatCompletionRequest): number | null {
  if (logprobs === true) return top ?? 0;
  if (top === null || top === undefined || top === 0) return null;
  throw new UnbrokenError('invalid_request', 'top_logprobs: logprobs must be true beside it.', {
    details: { param: 'top_logprobs' },
  });
}

type ToolMessage = Exclude<ChatMessage, { role: 'function' }>;

/** The message with its function call, or the result of a function, as those of tools. */
function withToolIds(message: ChatMessage, index: number, calls: FunctionCalls): ToolMessage {
  if (message.role === 'function') {
    const { role: _role, name, ...rest } = message;
    return { ...rest, role: 'tool', tool_call_id: calls.resultOf(name, index) };
  }
  if (message.role !== 'assistant' || !message.function_call) return message;
  const { name, arguments: written, ...rest } = message.function_call;
  const call = { ...rest, id: calls.add(name, index), function: { name, arguments: written } };
  return { ...message, function_call: null, tool_calls: [...(message.tool_calls ?? []), call] };
}

function addMessage(conversation: Conversation, message: ToolMessage): void {
  switch (message.role) {
    case 'system':
    case 'developer':
    case 'user':
      conversation.addTurn(message.role, contentOf(message.content), nativeOfMessage(message));
      break;
    case 'assistant':
      addAssistant(conversation, message);
      break;
    case 'tool':
      conversation.addToolResult({
        id: message.tool_call_id,
        content: typeof message.content === 'string' ? message.content : resultContent(message.content ?? []),
        // LangChain and CrewAI name the tool again, which OpenAI's format knows in its call alone.
        ...nativeRest(FORMAT, message, { role: true, tool_call_id: true, content: true, name: true }),
      });
  }
}

function addAssistant(
  conversation: Conversation,
  message: Extract<ChatMessage, { role: 'assistant' }>,
): void {
  const { content, refusal, tool_calls: calls } = message;
  const reasoning = reasoningIn(message);
  const parts: Part[] = [
    ...reasoning.parts,
    ...answerParts(content, { hasCalls: (calls ?? []).length > 0 }),
    ...(refusal === null || refusal === undefined || refusal === ''
      ? []
      : [{ type: 'text' as const, text: refusal, isRefusal: true as const }]),
    ...(calls ?? []).flatMap(toToolCall),
  ];
  const [only] = parts;
  const isPlain =
    typeof content === 'string' && parts.length === 1 && only?.type === 'text' && !only.isRefusal;
  conversation.addTurn('assistant', isPlain ? only.text : parts, nativeOfMessage(message, reasoning.shape));
}

function nativeOfMessage(
  message: ToolMessage,
  known: Readonly<Record<string, true>> = {},
): NativeFields | undefined {
  const shape = { role: true, content: true, refusal: true, tool_calls: true, ...known } as const;
  return nativeRest(FORMAT, message, shape).native;
}

const sealedDetail = z.looseObject({ data: z.string() });
const sealedCall = z.looseObject({ google: z.looseObject({ thought_signature: z.string() }) });
const REASONING_FIELDS = { reasoning_content: true, reasoning: true, reasoning_details: true } as const;

/** Thoughts that we have sealed. All others are the business of the provider that the client has them from. */
function reasoningIn(message: Extract<ChatMessage, { role: 'assistant' }>): {
  readonly parts: readonly ReasoningPart[];
  /** The fields that these parts are made from. */
  readonly shape: Readonly<Record<string, true>>;
} {
  const { reasoning_details: details, reasoning_content: content } = message;
  const sealed = (Array.isArray(details) ? details : []).flatMap((detail: unknown) => {
    const { data } = sealedDetail.safeParse(detail);
    return isSealed(data?.data) ? [data.data] : [];
  });
  if (sealed.length === 0) return { parts: [], shape: {} };
  const text = typeof content === 'string' ? content : '';
  const parts = sealed.map((own, index) => ({
    type: 'reasoning' as const,
    text: index === 0 ? text : '',
    sealed: own,
  }));
  return { parts, shape: REASONING_FIELDS };
}

function toToolCall(
  call: NonNullable<Extract<ChatMessage, { role: 'assistant' }>['tool_calls']>[number],
): Part[] {
  const { id, function: called } = call;
  const { data: extra } = sealedCall.safeParse(call['extra_content']);
  const sealed = extra?.google.thought_signature;
  // The index is of the stream that the client has put together.
  const shape = { id: true, type: true, index: true, function: { name: true, arguments: true } } as const;
  const own = { type: 'tool-call' as const, id, name: called.name, arguments: called.arguments };
  if (!isSealed(sealed)) return [{ ...own, ...nativeRest(FORMAT, call, shape) }];
  const rest = nativeRest(FORMAT, call, { ...shape, extra_content: { google: { thought_signature: true } } });
  return [
    { type: 'reasoning', text: '', sealed },
    { ...own, ...rest },
  ];
}
