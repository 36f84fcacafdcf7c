/** Builds the body of `POST /v1/responses` from a call. Source: OpenAI API reference, "Create a model response". */
import type {
  EasyInputMessage,
  FunctionTool,
  ResponseCreateParamsStreaming,
  ResponseInputContent,
  ResponseInputItem,
} from 'openai/resources/responses/responses';
import {
  functionTools,
  type Message,
  type NativeFields,
  type OutputFormat,
  type Part,
  type ResultContent,
  type Tool,
  type ToolChoice,
  type ToolResultPart,
} from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import {
  customToolInput,
  INTERNAL_TOOL_FIELDS,
  isCustomTool,
  isOfCustomTool,
  leavesStrict,
} from '../../../contracts/responses-tools.ts';
import { openAiEffort } from '../../models/reasoning-efforts.ts';
import { LEAST_RESPONSE_TOKENS, openAiResponseCallId } from '../../models/rules/openai.ts';
import { withDeliveredText } from '../continue-instruction.ts';
import { plainText, resultsFirst, textOfFile, withFailure } from '../message-parts.ts';
import { mergeFields, nativeOf, nativeRequestFields, promptCacheField } from '../native-request.ts';
import { NO_SEALS, type OpenedSeals, openedOfPart } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';

type ResponsesRequest = ResponseCreateParamsStreaming;

const FORMAT = 'openai-responses';
const ENCRYPTED = 'reasoning.encrypted_content';
const LOGPROBS = 'message.output_text.logprobs';

export interface ResponseMode {
  /** Whether the response runs at the provider without us, so that we can reattach to it. */
  readonly isBackground: boolean;
  /** Whether the model is known to reason: only then it has encrypted reasoning, and others refuse to be asked. */
  readonly reasons: boolean;
}

export function buildOpenAiResponseRequest(
  call: ProviderCall,
  { isBackground, reasons }: ResponseMode,
): ResponsesRequest {
  const { model, input, maxOutputTokens, resume, openedSeals = NO_SEALS } = call;
  const isContinued = 'deliveredText' in resume;
  const { system, temperature, topP, toolChoice } = input;
  const tools = functionTools(input.tools);
  const request: ResponsesRequest = {
    model,
    input: onlyUsableReasoning(
      withDeliveredText(input.messages, resume).flatMap((message) =>
        toOpenAiResponseItems(message, openedSeals),
      ),
    ),
    ...(maxOutputTokens === null
      ? {}
      : { max_output_tokens: Math.max(maxOutputTokens, LEAST_RESPONSE_TOKENS) }),
    stream: true,
    ...(isBackground ? { background: true, store: true } : { store: false }),
    ...(system === undefined ? {} : { instructions: system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(tools.length === 0 ? {} : { tools: tools.map(toOpenAiResponseTool) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toOpenAiResponseToolChoice(toolChoice, tools) }),
    ...(input.parallelToolCalls === undefined ? {} : { parallel_tool_calls: input.parallelToolCalls }),
    ...textField(input),
    ...reasoningField(call, isContinued),
    ...includeField(input, reasons && !isContinued),
    ...(input.logprobs ? { top_logprobs: input.logprobs } : {}),
  };
  const fields = { ...promptCacheField(call), ...nativeRequestFields(input, FORMAT) };
  // It is part of `request`, or left out of a continuation.
  delete fields['reasoning' as never];
  return mergeFields(fields, request);
}

/** Its next turn needs the model's thoughts: only the vendor can read them, so they are asked for. */
function includeField(input: GenerationInput, wantsReasoning: boolean): Partial<ResponsesRequest> {
  const own = nativeRequestFields(input, FORMAT)['include'];
  const include = Array.isArray(own) ? own : [];
  const wanted = [
    ...(wantsReasoning ? [ENCRYPTED] : []),
    ...(input.logprobs === undefined ? [] : [LOGPROBS]),
  ].filter((name) => !include.includes(name));
  return wanted.length === 0
    ? {}
    : { include: [...include, ...wanted] as NonNullable<ResponsesRequest['include']> };
}

function textField({ output, verbosity }: GenerationInput): Partial<ResponsesRequest> {
  if (output === undefined && verbosity === undefined) return {};
  return {
    text: {
      ...(output === undefined ? {} : { format: toOpenAiResponseFormat(output) }),
      ...(verbosity === undefined ? {} : { verbosity }),
    },
  };
}

function toOpenAiResponseFormat({ name, schema, description, strict = true }: OutputFormat) {
  if (schema === undefined) return { type: 'json_object' as const };
  const described = description === undefined ? {} : { description };
  return { type: 'json_schema' as const, name, schema, strict, ...described };
}

function reasoningField({ model, input }: ProviderCall, isContinued: boolean): Partial<ResponsesRequest> {
  const own = nativeRequestFields(input, FORMAT)['reasoning'];
  const native = typeof own === 'object' && own !== null ? own : {};
  const effort = input.reasoning?.effort;
  if (effort === undefined && Object.keys(native).length === 0) return {};
  const reasoning = {
    ...(effort === undefined || effort === 'none' ? {} : { summary: 'auto' as const }),
    ...native,
    ...(effort === undefined ? {} : { effort: openAiEffort(model, effort) }),
  };
  if (!isContinued) return { reasoning };
  const { summary: _, ...continued } = reasoning;
  return { reasoning: continued };
}

function toOpenAiResponseTool(tool: Tool) {
  const { name, description, parameters, strict = leavesStrict(tool) ? undefined : false } = tool;
  const described = description === undefined ? {} : { description };
  const fields = ownFields(tool);
  if (isCustomTool(tool)) return mergeFields(fields, { type: 'custom' as const, name, ...described });
  const checked = strict === undefined ? {} : { strict };
  // The SDK's type demands `strict`; the API has a default for it.
  const own = { type: 'function', name, parameters, ...checked, ...described } as FunctionTool;
  return mergeFields(fields, own);
}

function toOpenAiResponseToolChoice(
  choice: ToolChoice,
  tools: readonly Tool[],
): NonNullable<ResponsesRequest['tool_choice']> {
  if (typeof choice === 'string') return choice;
  const custom = new Set(tools.filter(isCustomTool).map(({ name }) => name));
  const named = (name: string) => ({
    type: custom.has(name) ? ('custom' as const) : ('function' as const),
    name,
  });
  if ('name' in choice) return named(choice.name);
  return { type: 'allowed_tools', mode: choice.mode, tools: choice.allowed.map(named) };
}

/**
 * The vendor refuses reasoning without what came of it, as an answer can be cut within its thoughts, and an item that
 * comes twice, as some clients send it.
 */
function onlyUsableReasoning(items: readonly ResponseInputItem[]): ResponseInputItem[] {
  const seen = new Set<string>();
  return items.filter((item, index) => {
    if (!('type' in item) || item.type !== 'reasoning') return true;
    if (seen.has(item.id)) return false;
    if (item.id) seen.add(item.id);
    const next = items.slice(index + 1).find((own) => !('type' in own) || own.type !== 'reasoning');
    if (next === undefined) return false;
    return 'role' in next ? next.role === 'assistant' : !/_output$/.test(String(next.type));
  });
}

/**
 * An item of reasoning as it may come back: without its status and its plain thoughts, which the vendor shows and
 * refuses, and with a summary, however empty.
 */
function asReasoningInput(item: Readonly<Record<string, unknown>>): ResponseInputItem {
  const { status: _, content: _content, ...fields } = item;
  const known = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return { summary: [], ...Object.fromEntries(known) } as never;
}

/** One message becomes several items: tool calls and results are items beside the messages, in their order. */
function toOpenAiResponseItems(message: Message, seals: OpenedSeals): ResponseInputItem[] {
  const parts = resultsFirst(message);
  const { role } = message;
  const fields = nativeOf(message, FORMAT);
  const isPlain = (part: Part) => part.type === 'text' && part.native === undefined && !part.isRefusal;
  const isOne = role === 'assistant' || parts.length === 1;
  if (isOne && parts.every(isPlain)) return [mergeFields(fields, { role, content: plainText(message) })];
  const items: ResponseInputItem[] = [];
  let content: ResponseInputContent[] = [];
  const close = () => {
    if (content.length > 0) items.push(mergeFields(fields, messageItem(role, content)));
    content = [];
  };
  for (const part of parts) {
    const own = toContent(part, role);
    if (own !== null) {
      content.push(own);
      continue;
    }
    close();
    const thoughts = openedOfPart(part, FORMAT, seals);
    if (thoughts !== null) items.push(asReasoningInput(thoughts));
    else if (part.type === 'tool-call') items.push(toCallItem(part));
    else if (part.type === 'tool-result') items.push(toResultItem(part));
    else if (part.type === 'native' && part.format === FORMAT) items.push(nativeItem(part.value));
  }
  close();
  return items;
}

function nativeItem(value: Readonly<Record<string, unknown>>): ResponseInputItem {
  return value['type'] === 'reasoning' ? asReasoningInput(value) : (value as never);
}

/** An assistant's plain text is a plain string; what else it wrote has the form of an answer. */
function messageItem(role: Message['role'], content: ResponseInputContent[]): EasyInputMessage {
  if (role !== 'assistant') return { role, content };
  const [only] = content as { readonly type: string; readonly text?: string }[];
  const isPlain = content.length === 1 && only?.text !== undefined && Object.keys(only).length === 2;
  return isPlain ? { role, content: only.text } : { type: 'message', role, content };
}

function toCallItem(part: Extract<Part, { type: 'tool-call' }>): ResponseInputItem {
  const { name, arguments: written } = part;
  const call = { call_id: openAiResponseCallId(part.id), name };
  const fields = ownFields(part);
  if (isOfCustomTool(part)) {
    return mergeFields(fields, {
      type: 'custom_tool_call' as const,
      ...call,
      input: customToolInput(written),
    });
  }
  return mergeFields(fields, { type: 'function_call' as const, ...call, arguments: written || '{}' });
}

/** The fields of a tool or call that the vendor has, too. */
function ownFields(value: { readonly native?: NativeFields | undefined }): Readonly<Record<string, unknown>> {
  const fields = Object.entries(nativeOf(value, FORMAT));
  return Object.fromEntries(
    fields.filter(([name]) => !(INTERNAL_TOOL_FIELDS as readonly string[]).includes(name)),
  );
}

function toResultItem(own: ToolResultPart): ResponseInputItem {
  const part = withFailure(own);
  const output =
    typeof part.content === 'string'
      ? part.content
      : part.content.flatMap((inner) => (toContent(inner, 'user') ?? []) as never[]);
  const type = isOfCustomTool(part) ? 'custom_tool_call_output' : 'function_call_output';
  const item = {
    type,
    call_id: openAiResponseCallId(part.id),
    output,
  } as ResponseInputItem.FunctionCallOutput;
  return mergeFields(nativeOf(part, FORMAT), item);
}

/** @returns null for what stands beside messages. */
function toContent(part: Part | ResultContent, role: Message['role']): ResponseInputContent | null {
  if (part.type === 'text') {
    const fields = nativeOf(part, FORMAT);
    if (role !== 'assistant') return mergeFields(fields, { type: 'input_text' as const, text: part.text });
    const own = part.isRefusal
      ? { type: 'refusal', refusal: part.text }
      : { type: 'output_text', text: part.text };
    // An assistant's turn takes the parts of an answer, which the SDK's type has under another item.
    return mergeFields(fields, own) as unknown as ResponseInputContent;
  }
  if (part.type === 'image') {
    const own = {
      type: 'input_image' as const,
      image_url: part.url,
      detail: (part.detail ?? 'auto') as 'auto',
    };
    return mergeFields(nativeOf(part, FORMAT), own);
  }
  if (part.type === 'file') {
    const fields = nativeOf(part, FORMAT);
    const text = textOfFile(part);
    if (text !== null && Object.keys(fields).length === 0) return { type: 'input_text', text };
    const named = { filename: part.name ?? 'file.pdf', file_data: part.url };
    const source = part.url.startsWith('data:') ? named : { file_url: part.url };
    return mergeFields(fields, { type: 'input_file' as const, ...source });
  }
  const isPart = part.type === 'native' && part.format === FORMAT && isInputPart(part.value['type']);
  return isPart ? (part.value as never) : null;
}

function isInputPart(type: unknown): boolean {
  return typeof type === 'string' && type.startsWith('input_');
}
