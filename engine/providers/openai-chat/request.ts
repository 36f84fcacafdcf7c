/** Builds the body of `POST /chat/completions` from a call. Source: OpenAI API reference, "Create chat completion". */
import { createHash } from 'node:crypto';
import type {
  ChatCompletionContentPart,
  ChatCompletionContentPartText,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
  ChatCompletionMessageToolCall,
  ChatCompletionToolChoiceOption,
} from 'openai/resources/chat/completions';
import {
  type FilePart,
  functionTools,
  type ImagePart,
  type Message,
  type OutputFormat,
  type Part,
  partsOf,
  type Tool,
  type ToolChoice,
  type ToolResultPart,
  textOfResult,
} from '../../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../../contracts/generation.ts';
import { asNumberInJson } from '../../../contracts/json.ts';
import { plainName } from '../../models/model-families.ts';
import { hasEffortAlone, nearestEffort, openAiEffort } from '../../models/reasoning-efforts.ts';
import { openAiChatCallId } from '../../models/rules/openai.ts';
import { withDeliveredText } from '../continue-instruction.ts';
import { joinTexts, partsOfType, resultMedia, textOfFile, withFailure } from '../message-parts.ts';
import { mergeFields, nativeOf, nativeRequestFields, promptCacheField } from '../native-request.ts';
import { NO_SEALS, type OpenedSeals, openedOfCalls, openedOfMessage } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';

type Quirks = NonNullable<ProviderSettings['quirks']>;
/** Fields that vendors have added to the format. */
export type ChatRequest = ChatCompletionCreateParamsStreaming & {
  reasoning?: { effort: string };
  thinking?: { type: string };
  top_k?: number;
  continue_final_message?: boolean;
  add_generation_prompt?: boolean;
};
type IdOf = (id: string) => string;
interface Conversation {
  readonly idOf: IdOf;
  readonly seals: OpenedSeals;
  /** Whether a turn with tool calls must have its reasoning back. */
  readonly returnsReasoning: boolean;
}

const FORMAT = 'openai-chat';

export function buildOpenAiChatRequest(call: ProviderCall, quirks: Quirks = {}): ChatRequest {
  const { model, input, maxOutputTokens, resume, openedSeals = NO_SEALS } = call;
  const { system, stop, output, reasoning } = input;
  const idOf = callIdRule(quirks);
  const context = { idOf, seals: openedSeals, returnsReasoning: quirks.reasoningContent === 'tool-turns' };
  const tools = functionTools(input.tools);
  const request: ChatRequest = {
    model,
    messages: [
      ...(system === undefined ? [] : [{ role: 'system' as const, content: system }]),
      ...withDeliveredText(input.messages, resume).flatMap((message) =>
        toOpenAiChatMessages(message, context),
      ),
    ],
    stream: true,
    ...(maxOutputTokens === null ? {} : { [quirks.maxTokensField ?? capField(model)]: maxOutputTokens }),
    ...(quirks.streamOptions === false ? {} : { stream_options: { include_usage: true } }),
    ...openAiChatSampling(input, quirks),
    ...(stop === undefined ? {} : { stop: [...stop] }),
    ...(tools.length === 0 ? {} : { tools: tools.map(toOpenAiChatTool) }),
    ...openAiChatToolChoice(input),
    ...(input.parallelToolCalls === undefined ? {} : { parallel_tool_calls: input.parallelToolCalls }),
    ...(output === undefined ? {} : { response_format: toOpenAiChatFormat(output) }),
    ...(reasoning === undefined ? {} : effortField(model, reasoning.effort, quirks)),
    ...prefillFields(call, quirks),
  };
  markPrefill(request, quirks);
  // Most other vendors cache without a key, and some refuse a field that they do not know.
  const cacheKey = quirks.promptCacheKey === 'prompt_cache_key' ? promptCacheField(call) : {};
  return mergeFields({ ...cacheKey, ...nativeRequestFields(input, FORMAT) }, request);
}

/** OpenAI's reasoning models refuse the old name, wherever they are served; other servers may not know the new one. */
function capField(model: string): 'max_tokens' | 'max_completion_tokens' {
  return /^(o\d|gpt-[5-9])/.test(plainName(model)) ? 'max_completion_tokens' : 'max_tokens';
}

/** Whether the conversation ends with the beginning of the answer. */
export function isPrefilled({ input, resume }: Pick<ProviderCall, 'input' | 'resume'>): boolean {
  return withDeliveredText(input.messages, resume).at(-1)?.role === 'assistant';
}

/** vLLM, "OpenAI-Compatible Server", extra parameters: the one cannot be set without the other being false. */
function prefillFields(call: ProviderCall, { prefill }: Quirks): Partial<ChatRequest> {
  if (prefill !== 'continue-final-message' || !isPrefilled(call)) return {};
  return { continue_final_message: true, add_generation_prompt: false };
}

/**
 * DeepSeek, "Chat Prefix Completion (Beta)": the last message is of the assistant and has `prefix: true`. Mistral's API
 * reference, `AssistantMessage.prefix`: "force the model to start its answer by the content of the message".
 */
function markPrefill({ messages }: ChatRequest, { prefill }: Quirks): void {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || (prefill !== 'prefix' && prefill !== 'beta-prefix')) return;
  Object.assign(last, { prefix: true });
}

function openAiChatSampling(input: GenerationInput, { seedField = 'seed' }: Quirks): Partial<ChatRequest> {
  const { temperature, topP, topK, seed, logprobs, frequencyPenalty, presencePenalty, verbosity } = input;
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(seed === undefined ? {} : { [seedField]: asNumberInJson(seed) }),
    ...(logprobs === undefined ? {} : { logprobs: true }),
    ...(logprobs ? { top_logprobs: logprobs } : {}),
    ...(frequencyPenalty === undefined ? {} : { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty === undefined ? {} : { presence_penalty: presencePenalty }),
    ...(verbosity === undefined ? {} : { verbosity }),
  };
}

function toOpenAiChatTool(tool: Tool) {
  const { name, description, parameters, strict } = tool;
  return mergeFields(nativeOf(tool, FORMAT), {
    type: 'function' as const,
    function: {
      name,
      parameters,
      ...(description === undefined ? {} : { description }),
      ...(strict === undefined ? {} : { strict }),
    },
  });
}

/** The vendor refuses a choice without tools; one that calls for none says nothing. */
function openAiChatToolChoice({ tools, toolChoice }: GenerationInput): Pick<ChatRequest, 'tool_choice'> {
  const saysNothing = toolChoice === 'auto' || toolChoice === 'none';
  if (toolChoice === undefined || (tools === undefined && saysNothing)) return {};
  return { tool_choice: toOpenAiChatToolChoice(toolChoice) };
}

function toOpenAiChatToolChoice(choice: ToolChoice): ChatCompletionToolChoiceOption {
  if (typeof choice === 'string') return choice;
  if ('name' in choice) return { type: 'function', function: { name: choice.name } };
  const tools = choice.allowed.map((name) => ({ type: 'function', function: { name } }));
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools } };
}

function toOpenAiChatFormat({ name, schema, description, strict = true }: OutputFormat) {
  if (schema === undefined) return { type: 'json_object' as const };
  const described = description === undefined ? {} : { description };
  return { type: 'json_schema' as const, json_schema: { name, schema, strict, ...described } };
}

function effortField(
  model: string,
  effort: ReasoningEffort,
  { reasoningEffort, efforts }: Quirks,
): Partial<ChatRequest> {
  if (reasoningEffort === 'none') return {};
  const own = efforts === undefined ? openAiEffort(model, effort) : nearestEffort(effort, efforts);
  const isSwitched = reasoningEffort === 'thinking-switch' || reasoningEffort === 'switch-and-effort';
  if (isSwitched && !hasEffortAlone(model)) {
    if (effort === 'none') return { thinking: { type: 'disabled' } };
    const isSwitchAlone = reasoningEffort === 'thinking-switch';
    return { thinking: { type: 'enabled' }, ...(isSwitchAlone ? {} : { reasoning_effort: own }) };
  }
  return reasoningEffort === 'reasoning-object' ? { reasoning: { effort: own } } : { reasoning_effort: own };
}

function toOpenAiChatMessages(message: Message, context: Conversation): ChatCompletionMessageParam[] {
  const native = nativeOf(message, FORMAT);
  const { role } = message;
  if (role === 'assistant') return toAssistantMessages(message, context);
  if (role !== 'user') return [mergeFields(native, { role, content: toTextContent(message) })];
  // Tool results are separate messages, before the user's text of the same message.
  const results = partsOfType(message, 'tool-result').map((result) => toToolMessage(result, context.idOf));
  const own = partsOf(message).filter(({ type }) => type !== 'tool-result');
  const content = [...resultMedia(message), ...own].flatMap(toContentPart);
  if (content.length === 0) return results;
  return [...results, mergeFields(native, { role, content: plainIfPossible(content, role) })];
}

function toToolMessage(own: ToolResultPart, idOf: IdOf): ChatCompletionMessageParam {
  const result = withFailure(own);
  const texts =
    typeof result.content === 'string' ? [] : result.content.filter((part) => part.type === 'text');
  const content = texts.some((part) => part.native !== undefined)
    ? texts.map((part) => mergeFields(nativeOf(part, FORMAT), { type: 'text' as const, text: part.text }))
    : textOfResult(result);
  return mergeFields(nativeOf(result, FORMAT), { role: 'tool', tool_call_id: idOf(result.id), content });
}

function toAssistantMessages(message: Message, context: Conversation): ChatCompletionMessageParam[] {
  const { idOf, seals } = context;
  const ofCalls = openedOfCalls(message, FORMAT, seals);
  const calls = partsOf(message).flatMap((part): ChatCompletionMessageToolCall[] => {
    if (part.type !== 'tool-call') return [];
    const { id, name, arguments: written } = part;
    const call = { id: idOf(id), type: 'function' as const, function: { name, arguments: written || '{}' } };
    return [mergeFields(nativeOf(part, FORMAT), { ...call, ...ofCalls.get(id) })];
  });
  const content = toTextContent(message);
  const native = { ...nativeOf(message, FORMAT), ...reasoningOf(message, context) };
  // What was all thoughts of another format leaves nothing to say.
  if (content.length === 0 && calls.length === 0 && Object.keys(native).length === 0) return [];
  const own = { content: content.length === 0 ? null : content };
  return [
    mergeFields(native, { role: 'assistant', ...own, ...(calls.length === 0 ? {} : { tool_calls: calls }) }),
  ];
}

/**
 * The thoughts of the message: those of its seals, else the text that its client sent. Where the vendor insists on them
 * and none are known, an empty text is enough.
 */
function reasoningOf(
  message: Message,
  { seals, returnsReasoning }: Conversation,
): Readonly<Record<string, unknown>> {
  const parts = partsOfType(message, 'reasoning');
  const values = openedOfMessage(message, FORMAT, seals);
  const text = values
    .flatMap(({ reasoning_content: own }) => (typeof own === 'string' ? [own] : []))
    .join('\n\n');
  const details = values.flatMap(({ reasoning_details: own }) => (Array.isArray(own) ? own : []));
  const fields = {
    ...(text === '' ? {} : { reasoning_content: text }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
  };
  const isKnown = text !== '' || nativeOf(message, FORMAT)['reasoning_content'] !== undefined;
  if (!returnsReasoning || isKnown || partsOfType(message, 'tool-call').length === 0) return fields;
  const unsealed = parts.filter(({ sealed }) => sealed === undefined).map((part) => part.text);
  return { ...fields, reasoning_content: unsealed.join('\n\n') };
}

type TextContent = ChatCompletionContentPartText | { type: 'refusal'; refusal: string };

/** The text of a message; as a list only if its parts have something to say besides, or some are no text. */
function toTextContent(message: Message): string | never[] {
  const parts = partsOf(message).flatMap((part): TextContent[] => {
    if (part.type === 'native' && part.format === FORMAT) return [part.value as never];
    if (part.type !== 'text') return [];
    return [
      part.isRefusal === true
        ? mergeFields(nativeOf(part, FORMAT), { type: 'refusal', refusal: part.text })
        : mergeFields(nativeOf(part, FORMAT), { type: 'text', text: part.text }),
    ];
  });
  return plainIfPossible(parts, message.role) as string | never[];
}

/** Plain text as a plain string: not every vendor accepts a list. */
function plainIfPossible<Content extends ChatCompletionContentPart | TextContent>(
  content: readonly Content[],
  role: Message['role'],
): string | Content[] {
  const isPlain = (part: Content) => part.type === 'text' && Object.keys(part).length === 2;
  if (!content.every(isPlain)) return [...content];
  const texts = content.map((part) => ('text' in part ? part.text : ''));
  return joinTexts(texts, role);
}

function toContentPart(part: Part): ChatCompletionContentPart[] {
  switch (part.type) {
    case 'text':
      return [mergeFields(nativeOf(part, FORMAT), { type: 'text', text: part.text })];
    case 'image':
      return [toImage(part)];
    case 'file':
      return [toFile(part)];
    case 'native':
      return part.format === FORMAT ? [part.value as never] : [];
    default:
      return [];
  }
}

function toImage(part: ImagePart): ChatCompletionContentPart {
  const detail = part.detail === undefined ? {} : { detail: part.detail as 'auto' };
  return mergeFields(nativeOf(part, FORMAT), {
    type: 'image_url',
    image_url: { url: part.url, ...detail },
  });
}

function toFile(part: FilePart): ChatCompletionContentPart {
  const fields = nativeOf(part, FORMAT);
  const text = textOfFile(part);
  if (text !== null && Object.keys(fields).length === 0) return { type: 'text', text };
  const file = { filename: part.name ?? 'file.pdf', file_data: part.url };
  return mergeFields(fields, { type: 'file', file });
}

/** Servers of this format may put a signature into an id, which then must return as it is. */
function callIdRule({ toolCallIds, vendorRules }: Quirks): IdOf {
  if (toolCallIds === 'nine-alphanumeric') return nineAlphanumeric;
  return vendorRules === true ? openAiChatCallId : (id) => id;
}

/** Mistral accepts only ids of this form; the same id always maps to the same one. */
function nineAlphanumeric(id: string): string {
  return /^[A-Za-z0-9]{9}$/.test(id) ? id : createHash('sha256').update(id).digest('hex').slice(0, 9);
}
