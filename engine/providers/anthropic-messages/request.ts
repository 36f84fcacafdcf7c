/** Builds the body of `POST /v1/messages` from a call. Source: Anthropic API reference, "Messages". */
import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  OutputConfig,
  TextBlockParam,
  ThinkingConfigParam,
  ToolChoice,
  ToolUnion,
} from '@anthropic-ai/sdk/resources/messages';
import { cacheMarkIn } from '../../../contracts/cache-marks.ts';
import {
  type FilePart,
  type ImagePart,
  type Message,
  mediaOfResult,
  type Part,
  type Tool,
  type ToolResultPart,
  textOfResult,
} from '../../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../../contracts/generation.ts';
import { isTextFile } from '../../../contracts/text-files.ts';
import { choosesThinkingBudget, thinksByDefault } from '../../models/claude-thinking.ts';
import { claudeEffort } from '../../models/reasoning-efforts.ts';
import { anthropicCallId } from '../../models/rules/anthropic-messages.ts';
import { toAnthropicSchema } from '../../models/rules/anthropic-schema.ts';
import { continueInstruction } from '../continue-instruction.ts';
import {
  allowedTools,
  inlineData,
  parsedArguments,
  partsOfType,
  resultsFirst,
  withFailure,
  withoutLeadingSystem,
} from '../message-parts.ts';
import { mergeFields, nativeOf, nativeRequestFields } from '../native-request.ts';
import { NO_SEALS, type OpenedSeals, openedOf } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';
import { withCacheBreakpoints, withMarkedEnd, withMarkedMessage } from './cache-breakpoints.ts';
import { placeLateSystem } from './late-system.ts';
import { editsWithoutThoughts } from './refused-thoughts.ts';
import { anthropicThinking, capOf } from './thinking-config.ts';

const FORMAT = 'anthropic-messages';

/** The last version of the API that accepts `temperature`, `top_p` and `top_k`; the SDK sends a later one. */
const SAMPLING_API_VERSION = '2023-06-01';

/** This vendor has no mode for JSON without a schema. */
const ANY_JSON = 'Answer with one JSON object and nothing else.';

type MessagesRequest = MessageCreateParamsStreaming & {
  temperature?: number;
  top_p?: number;
  top_k?: number;
};

export function buildAnthropicRequest(call: ProviderCall): MessageCreateParamsStreaming {
  const { model, input, resume } = call;
  const { temperature, topP, topK, stop } = input;
  const continued = continuation(resume);
  const { system, messages } = anthropicConversation(call, continued);
  const tools = anthropicTools(input);
  const thinking = anthropicThinking(call);
  const outputConfig = anthropicOutputConfig(call, thinking);
  const body: MessagesRequest = {
    model,
    messages,
    max_tokens: capOf(call),
    stream: true,
    ...(system === null ? {} : { system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(topK === undefined ? {} : { top_k: topK }),
    ...(stop === undefined ? {} : { stop_sequences: [...stop] }),
    ...(tools.length === 0 ? {} : { tools }),
    ...anthropicToolChoice(input),
    ...(outputConfig === null ? {} : { output_config: outputConfig }),
    ...(thinking === null ? {} : { thinking }),
  };
  const fields = { ...nativeRequestFields(input, FORMAT), ...editsOfContext(call, thinking) };
  // It is part of `body`, or left out where it cannot continue.
  delete fields['thinking'];
  return withCacheBreakpoints(mergeFields(fields, body), call, continued.length);
}

/** Without those of thoughts where there are none: the vendor refuses them ("Context editing"). */
function editsOfContext({ model, input }: ProviderCall, thinking: ThinkingConfigParam | null): object {
  const isOff = thinking === null ? !thinksByDefault(model) : thinking.type === 'disabled';
  return isOff ? editsWithoutThoughts(nativeRequestFields(input, FORMAT)) : {};
}

export function buildAnthropicHeaders({
  temperature,
  topP,
  topK,
  native,
}: GenerationInput): Record<string, string> {
  const samples = temperature !== undefined || topP !== undefined || topK !== undefined;
  const betas = native?.format === FORMAT ? (native.betas ?? []) : [];
  return {
    ...(samples ? { 'anthropic-version': SAMPLING_API_VERSION } : {}),
    ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
  };
}

/**
 * System messages before the conversation become its system text. A later one stays where it is if it came in this
 * format, or if the model takes it there; else its text joins the system text. A system text alone is sent as the
 * user's.
 */
function anthropicConversation(
  { model, input, openedSeals = NO_SEALS }: ProviderCall,
  continued: readonly Message[],
): { readonly system: string | TextBlockParam[] | null; readonly messages: MessageParam[] } {
  const { leading, rest } = withoutLeadingSystem(input.messages);
  const { turns, moved } = placeLateSystem([...rest, ...continued], model);
  const blocks: TextBlockParam[] = [
    ...(input.system === undefined ? [] : [{ type: 'text' as const, text: input.system }]),
    ...[...leading, ...moved].flatMap(toSystemBlocks),
    ...(input.output !== undefined && input.output.schema === undefined
      ? [{ type: 'text' as const, text: ANY_JSON }]
      : []),
  ];
  const messages = turns
    .map((turn) => ('role' in turn ? toAnthropicMessage(turn, openedSeals) : toLateSystem(turn)))
    .filter(({ content }) => content.length > 0);
  if (messages.length === 0) return { system: null, messages: [{ role: 'user', content: blocks }] };
  if (blocks.length === 0) return { system: null, messages };
  const isPlain = blocks.every((block) => Object.keys(block).length === 2);
  // Several blocks of a client stay apart, because its cache marks may move from one to another.
  const isOne = leading.every((message) => typeof message.content === 'string');
  const joined = blocks.map(({ text }) => text).join('\n\n');
  return { system: isPlain && isOne ? joined : blocks, messages };
}

function toLateSystem(messages: readonly Message[]): MessageParam {
  return { role: 'system', content: messages.flatMap(toSystemBlocks) };
}

function toSystemBlocks(message: Message): TextBlockParam[] {
  const blocks = partsOfType(message, 'text').map(toTextBlock);
  const mark = foreignMarkOf(message);
  return mark === undefined ? blocks : withMarkedEnd(blocks, mark);
}

/** Chat completions mark whole messages, too; this format marks blocks. */
function foreignMarkOf({ native }: Message): object | undefined {
  return native?.format === FORMAT ? undefined : cacheMarkIn(native?.fields);
}

function toAnthropicMessage(message: Message, seals: OpenedSeals): MessageParam {
  const role = message.role === 'assistant' || message.role === 'system' ? message.role : 'user';
  const content =
    typeof message.content === 'string'
      ? message.content
      : resultsFirst(message).flatMap((part) => toAnthropicBlock(part, seals));
  const mark = foreignMarkOf(message);
  if (mark !== undefined) return withMarkedMessage({ role, content } as MessageParam, mark);
  return mergeFields(nativeOf(message, FORMAT), { role, content }) as MessageParam;
}

function toTextBlock(part: Extract<Part, { type: 'text' }>): TextBlockParam {
  return mergeFields(nativeOf(part, FORMAT), { type: 'text', text: part.text });
}

function toAnthropicBlock(part: Part, seals: OpenedSeals): ContentBlockParam[] {
  const fields = part.type === 'native' || part.type === 'reasoning' ? {} : nativeOf(part, FORMAT);
  switch (part.type) {
    case 'reasoning': {
      const data = openedOf(part, FORMAT, seals);
      return data === null ? [] : [data.value as never];
    }
    case 'text':
      return [toTextBlock(part)];
    case 'tool-call': {
      const { name, arguments: written } = part;
      const use = {
        type: 'tool_use' as const,
        id: anthropicCallId(part.id),
        name,
        input: parsedArguments(written),
      };
      return [mergeFields(fields, use)];
    }
    case 'tool-result':
      return [mergeFields(fields, toToolResult(part, seals))];
    case 'image':
      return [mergeFields(fields, toImageBlock(part))];
    case 'file':
      return [mergeFields(fields, toDocumentBlock(part))];
    case 'native':
      return part.format === FORMAT ? [part.value as never] : [];
  }
}

/** What is marked as a failure must have words and nothing else: one with a picture says in words what it is. */
function toToolResult(result: ToolResultPart, seals: OpenedSeals) {
  const hasMedia = mediaOfResult(result).length > 0;
  const isPlain = !hasMedia && textOfResult(result).trim() !== '';
  const { id, content, isError } = isPlain ? result : withFailure(result);
  return {
    type: 'tool_result' as const,
    tool_use_id: anthropicCallId(id),
    content:
      typeof content === 'string'
        ? content
        : (content.flatMap((part) => toAnthropicBlock(part, seals)) as never[]),
    ...(isError === true && !hasMedia ? { is_error: true } : {}),
  };
}

function toImageBlock(part: ImagePart) {
  const inline = inlineData(part);
  if (inline === null) return { type: 'image' as const, source: { type: 'url' as const, url: part.url } };
  const { data, mediaType } = inline;
  return {
    type: 'image' as const,
    source: { type: 'base64' as const, data, media_type: mediaType as 'image/png' },
  };
}

function toDocumentBlock(part: FilePart) {
  const title = part.name === undefined ? {} : { title: part.name };
  const document = (source: object) =>
    ({ type: 'document' as const, source: source as never, ...title }) as const;
  const inline = inlineData(part);
  if (inline === null) return document({ type: 'url', url: part.url });
  const { data, mediaType } = inline;
  if (!isTextFile(part)) return document({ type: 'base64', data, media_type: mediaType });
  const text = Buffer.from(data, 'base64').toString('utf8');
  return document({ type: 'text', data: text, media_type: 'text/plain' });
}

function anthropicTools(input: GenerationInput): ToolUnion[] {
  const allowed = new Set(allowedTools(input).map(({ name }) => name));
  return (input.tools ?? []).flatMap((tool): ToolUnion[] => {
    if ('format' in tool) return tool.format === FORMAT ? [tool.value as never] : [];
    return allowed.has(tool.name) ? [toAnthropicTool(tool)] : [];
  });
}

function toAnthropicTool(tool: Tool): ToolUnion {
  const { name, description, parameters, strict } = tool;
  return mergeFields(nativeOf(tool, FORMAT), {
    name,
    input_schema: { ...parameters, type: 'object' as const },
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  });
}

function anthropicToolChoice(input: GenerationInput): { readonly tool_choice?: ToolChoice } {
  const { toolChoice, parallelToolCalls } = input;
  if (toolChoice === undefined && parallelToolCalls === undefined) return {};
  if (input.tools === undefined) return {};
  const choice = toAnthropicToolChoice(toolChoice ?? 'auto');
  if (parallelToolCalls === undefined || choice.type === 'none') return { tool_choice: choice };
  return { tool_choice: { ...choice, disable_parallel_tool_use: !parallelToolCalls } };
}

function toAnthropicToolChoice(choice: NonNullable<GenerationInput['toolChoice']>): ToolChoice {
  if (typeof choice === 'object' && 'name' in choice) return { type: 'tool', name: choice.name };
  const mode = typeof choice === 'string' ? choice : choice.mode;
  return mode === 'required' ? { type: 'any' } : { type: mode };
}

function anthropicOutputConfig(
  { model, input }: ProviderCall,
  thinking: ThinkingConfigParam | null,
): OutputConfig | null {
  const { output, reasoning } = input;
  const isOff = thinking?.type === 'disabled' && thinksByDefault(model);
  const effort = reasoning === undefined ? null : claudeEffort(model, effortOf(reasoning, { isOff }));
  const config: OutputConfig = {
    ...(output?.schema === undefined
      ? {}
      : { format: { type: 'json_schema', schema: toAnthropicSchema(output.schema) } }),
    // A client that sets a budget has its own effort, or none.
    ...(effort !== null && choosesThinkingBudget(model) && thinking?.type !== 'enabled' ? { effort } : {}),
  };
  return Object.keys(config).length === 0 ? null : config;
}

/** From Claude 5 on, thinking cannot be off at a higher effort. */
function effortOf(
  { effort }: NonNullable<GenerationInput['reasoning']>,
  { isOff }: { readonly isOff: boolean },
): ReasoningEffort {
  return isOff && (effort === 'xhigh' || effort === 'max') ? 'high' : effort;
}

function continuation(resume: ProviderCall['resume']): readonly Message[] {
  if (!('deliveredText' in resume)) return [];
  // The API refuses a last turn that is empty or ends in white space.
  const content = resume.deliveredText.trimEnd();
  if (content === '') return [];
  return resume.strategy === 'instruct' ? continueInstruction(content) : [{ role: 'assistant', content }];
}
