/** Builds the `response` object of OpenAI's Responses API. Source: the types of the official client, Response. */
import type {
  Response as OpenAiResponse,
  ResponseError,
  ResponseOutputItem,
  ResponseUsage,
  Tool,
} from 'openai/resources/responses/responses';
import { functionTools, type Tool as OwnTool } from '../../../contracts/content.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { inputTokensOf, outputTokensOf, totalTokens, type Usage } from '../../../contracts/money.ts';
import { isCustomTool, leavesStrict, namespaceOfTool } from '../../../contracts/responses-tools.ts';
import type { Terminal } from '../answer.ts';
import { wireId } from '../wire.ts';
import type { ResponseOrigin } from './request.ts';

/** All that a response is built from, besides its log. */
export interface ResponseContext {
  readonly generationId: string;
  readonly origin: ResponseOrigin;
  readonly input: GenerationInput;
  readonly metadata: Readonly<Record<string, string>>;
}

/** For a turn that follows: it needs these thoughts, whether or not the client wanted to see them. */
export function withReasoningIncluded(context: ResponseContext): ResponseContext {
  return { ...context, origin: { ...context.origin, includesReasoning: true } };
}

/** What the log says so far. */
interface ResponseProgress {
  readonly startedAtMs: number;
  readonly model: string | null;
  readonly output: readonly ResponseOutputItem[];
  readonly end: Terminal | null;
}

/** The fields of a response that Open Responses requires and the official client does not know. */
interface OpenResponsesFields {
  readonly store: boolean;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
}

/** The client computes `output_text` itself; the wire does not carry it. `usage` is null until the end. */
export type WireResponse = Omit<OpenAiResponse, 'output_text' | 'usage'> & {
  readonly usage: ResponseUsage | null;
} & OpenResponsesFields;

export function responseObject(
  { generationId, origin, input, metadata }: ResponseContext,
  { startedAtMs, model, output, end }: ResponseProgress,
): WireResponse {
  const { fields = {} } = input.native ?? {};
  return {
    id: responseId(generationId),
    object: 'response',
    created_at: Math.floor(startedAtMs / 1_000),
    status: responseStatus(end),
    background: origin.background,
    // Of a response that failed, was cut or cancelled, it is null.
    completed_at: responseStatus(end) === 'completed' && end !== null ? Math.floor(end.at / 1_000) : null,
    error: end?.type === 'generation-error' ? toResponseError(end) : null,
    incomplete_details: incompleteDetails(end),
    instructions:
      origin.instructionsChars === 0 ? null : (input.system ?? '').slice(0, origin.instructionsChars),
    max_output_tokens: input.capFrom === 'default' ? null : input.maxOutputTokens,
    max_tool_calls: numberIn(fields['max_tool_calls']),
    metadata: { ...metadata },
    model: model ?? origin.model,
    output: [...output],
    parallel_tool_calls: origin.parallelToolCalls,
    previous_response_id: origin.previousResponseId,
    conversation: origin.conversation === undefined ? null : { id: origin.conversation },
    presence_penalty: input.presencePenalty ?? 0,
    frequency_penalty: input.frequencyPenalty ?? 0,
    prompt_cache_key: textIn(fields['prompt_cache_key']),
    reasoning: { effort: input.reasoning?.effort ?? null, summary: summaryOf(fields['reasoning']) },
    safety_identifier: textIn(fields['safety_identifier']),
    store: origin.store,
    // Without a value the vendors' default applies, which is 1.
    temperature: input.temperature ?? 1,
    text: responseText(origin, input),
    tool_choice: responseToolChoice(input),
    tools: responseTools(input),
    top_logprobs: input.logprobs ?? 0,
    top_p: input.topP ?? 1,
    truncation: fields['truncation'] === 'auto' ? 'auto' : 'disabled',
    usage: end === null ? null : toResponseUsage(end.usage),
    ...(origin.user === null ? {} : { user: origin.user }),
    access_programs: null,
    service_tier: 'default',
  } satisfies WireResponse;
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

const SUMMARIES = ['auto', 'concise', 'detailed'] as const;

function summaryOf(reasoning: unknown): (typeof SUMMARIES)[number] | null {
  if (typeof reasoning !== 'object' || reasoning === null || !('summary' in reasoning)) return null;
  return SUMMARIES.find((summary) => summary === reasoning.summary) ?? null;
}

export function responseId(generationId: string): string {
  return wireId('resp_', generationId);
}

/** The id of the generation behind a response id; null for an invalid id. */
export function generationIdOf(id: string): string | null {
  const hex = /^(?:resp_|gen_)([0-9a-f]{32})$/.exec(id)?.[1];
  return hex === undefined ? null : `gen_${hex}`;
}

function responseStatus(end: Terminal | null): NonNullable<OpenAiResponse['status']> {
  if (end === null) return 'in_progress';
  if (end.type === 'generation-cancel') return 'cancelled';
  if (end.type === 'generation-error') return end.error.code === 'content_filtered' ? 'incomplete' : 'failed';
  return end.finishReason === 'length' || end.finishReason === 'content-filter' ? 'incomplete' : 'completed';
}

function incompleteDetails(end: Terminal | null): OpenAiResponse['incomplete_details'] {
  if (responseStatus(end) !== 'incomplete') return null;
  const isCap = end?.type === 'generation-end' && end.finishReason === 'length';
  return { reason: isCap ? 'max_output_tokens' : 'content_filter' };
}

const ERROR_CODES: Partial<Record<ErrorCode, ResponseError['code']>> = {
  provider_rate_limited: 'rate_limit_exceeded',
  // Not in the set that is published, but sent. Codex repeats a response that failed at a limit, but not at a quota.
  budget_exceeded: 'insufficient_quota' as ResponseError['code'],
  provider_quota_exhausted: 'insufficient_quota' as ResponseError['code'],
  // Agents compact a conversation when they read it.
  context_length_exceeded: 'context_length_exceeded' as ResponseError['code'],
  provider_bad_request: 'invalid_prompt',
};

type Failure = Extract<Terminal, { type: 'generation-error' }>;

/** OpenAI's codes are a closed set, so the message starts with our code. */
function toResponseError({
  error,
  at,
}: Extract<Terminal, { type: 'generation-error' }>): ResponseError | null {
  const { code, message } = error;
  if (code === 'content_filtered') return null;
  const mapped = Object.entries(ERROR_CODES).find(([ours]) => ours === code)?.[1] ?? 'server_error';
  const wait = mapped === 'rate_limit_exceeded' ? waitIn(error, at) : '';
  return { code: mapped, message: `${code}: ${message}${wait}` };
}

/** In OpenAI's own words, by which Codex waits: this API has no field for it. */
function waitIn({ message, details }: Failure['error'], failedAtMs: number): string {
  const retryAtMs = details?.['retryAtMs'];
  if (typeof retryAtMs !== 'number' || /try again in/i.test(message)) return '';
  return ` Please try again in ${Math.max(0, Math.ceil((retryAtMs - failedAtMs) / 1_000))}s.`;
}

export function toResponseUsage(usage: Usage): ResponseUsage {
  return {
    input_tokens: inputTokensOf(usage),
    input_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    output_tokens: outputTokensOf(usage),
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: totalTokens(usage),
  };
}

function responseText({ textFormat }: ResponseOrigin, { output, verbosity }: GenerationInput) {
  const verbose = verbosity === undefined ? {} : { verbosity };
  if (textFormat === 'json_schema' && output?.schema !== undefined) {
    const { name, schema, description = null, strict = true } = output;
    const format = { type: 'json_schema' as const, name, schema, strict, description };
    // The type of the client leaves an absent description out; OpenAI sends null.
    return { format: format as typeof format & { description: string }, ...verbose };
  }
  return { format: { type: textFormat === 'json_object' ? textFormat : ('text' as const) }, ...verbose };
}

/** The tools that the model was offered, as the client knows them. */
function responseTools({ tools }: GenerationInput): Tool[] {
  const namespaces = new Map<string, object[]>();
  return functionTools(tools).flatMap((tool): Tool[] => {
    const namespace = namespaceOfTool(tool);
    if (namespace === null) return [responseTool(tool) as Tool];
    const own = { ...responseTool(tool), name: namespace.tool };
    const known = namespaces.get(namespace.name);
    if (known !== undefined) {
      known.push(own);
      return [];
    }
    const inner = [own];
    namespaces.set(namespace.name, inner);
    const { name, description = '' } = namespace;
    return [{ type: 'namespace', name, description, tools: inner } as unknown as Tool];
  });
}

function responseTool(tool: OwnTool): object {
  const { name, description = null, parameters, strict = leavesStrict(tool) ? null : false } = tool;
  if (!isCustomTool(tool)) return { type: 'function', name, parameters, strict, description };
  const format = tool.native?.fields['format'] ?? { type: 'text' };
  return { type: 'custom', name, description, format };
}

function responseToolChoice({ toolChoice = 'auto', tools }: GenerationInput): OpenAiResponse['tool_choice'] {
  if (typeof toolChoice === 'string') return toolChoice;
  const known = functionTools(tools);
  const named = (flat: string) =>
    chosenTool(
      known.find(({ name }) => name === flat),
      flat,
    );
  if ('name' in toolChoice) return named(toolChoice.name);
  return { type: 'allowed_tools', mode: toolChoice.mode, tools: toolChoice.allowed.map(named) };
}

/** A tool as the client has named it. */
function chosenTool(tool: OwnTool | undefined, flat: string) {
  const namespace = tool === undefined ? null : namespaceOfTool(tool);
  const type = tool !== undefined && isCustomTool(tool) ? ('custom' as const) : ('function' as const);
  return namespace === null
    ? { type, name: flat }
    : { type, name: namespace.tool, namespace: namespace.name };
}
