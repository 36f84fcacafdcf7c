/**
 * Sends a call, and maps the chunks of its chat completion to ours. Source: OpenAI API reference, "The chat completion
 * chunk object".
 */
import type OpenAI from 'openai';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { Ending, FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import { AnswerState, isFilter, malformed, mayBeEmpty, streamCut } from '../answer-state.ts';
import { toUnbrokenError } from '../http-errors.ts';
import type { Link } from '../http-link.ts';
import { readOpenAiEvents } from '../openai-events.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { parseErrorStatus } from '../vendor-error.ts';
import { ChatLogprobs } from './logprobs.ts';
import { ChatReasoning } from './reasoning.ts';
import { buildOpenAiChatRequest } from './request.ts';
import { SearchResults } from './search-results.ts';
import { ToolCallPlaces } from './tool-call-places.ts';
import { mapOpenAiChatUsage, type OpenAiChatUsage } from './usage.ts';

/** vLLM and SGLang say which stop sequence ended the answer; a number is that of a token. */
type Choice = ChatCompletionChunk['choices'][number] & {
  readonly stop_reason?: unknown;
  readonly matched_stop?: unknown;
};

/** Vendors' additions to a delta: reasoning under two names, content as a list (Mistral), citations. */
interface VendorDelta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly reasoning_details?: unknown;
  readonly refusal?: unknown;
  readonly annotations?: unknown;
}

export async function* streamOpenAiChat(
  client: OpenAI,
  call: ProviderCall,
  quirks: ProviderSettings['quirks'],
  link: Link,
): AsyncGenerator<ProviderEvent> {
  const { idempotencyKey, promptCacheKey } = call;
  const headers = {
    'Idempotency-Key': idempotencyKey,
    ...(quirks?.promptCacheKey === 'x-grok-conv-id' && promptCacheKey !== undefined
      ? { 'x-grok-conv-id': promptCacheKey }
      : {}),
  };
  const request = buildOpenAiChatRequest(call, quirks);
  const { signal } = link;
  const response = await client.chat.completions.create(request, { signal, headers }).asResponse();
  yield { type: 'accepted' };
  yield* mapOpenAiChatStream(readOpenAiEvents(response, link), call, quirks);
}

export async function* mapOpenAiChatStream(
  stream: AsyncIterable<ChatCompletionChunk>,
  call: ProviderCall,
  quirks: ProviderSettings['quirks'],
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState({ mayBeEmpty: mayBeEmpty(call) });
  const places = new ToolCallPlaces(answer);
  const reasoning = new ChatReasoning(quirks);
  const logprobs = new ChatLogprobs();
  const results = new SearchResults(call);
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  let ending: Ending = {};
  for await (const chunk of stream) {
    const reported = mapOpenAiChatUsage(usageOfChunk(chunk));
    if (reported !== null) {
      usage = reported;
      yield { type: 'usage', usage };
    }
    results.take(chunk as object);
    const choice: Choice | undefined = chunk.choices?.[0];
    if (choice === undefined) continue;
    const delta: VendorDelta & Pick<Choice['delta'], 'tool_calls'> = choice.delta ?? {};
    const context = { answer, reasoning, logprobs: logprobs.take(choice) };
    for (const event of mapOpenAiChatContent(delta, context)) yield results.note(event);
    if ((delta.tool_calls ?? []).length > 0) yield* reasoning.close();
    for (const [order, toolCall] of (delta.tool_calls ?? []).entries()) {
      yield* places.take(toolCall, order, chunk.id);
    }
    finishReason = choice.finish_reason ?? finishReason;
    ending = { ...ending, ...stopSequenceOf(choice, call.input) };
    if (choice.finish_reason === ('error' as string)) throw brokenAnswer(choice);
  }
  if (finishReason === null) throw streamCut();
  yield* reasoning.close();
  yield* results.close();
  if (finishReason === 'insufficient_system_resource') {
    throw new UnbrokenError('provider_unavailable', 'The provider ran out of resources.');
  }
  const vendorReason = KNOWN_REASONS.has(finishReason) ? {} : { vendorReason: finishReason };
  yield* answer.finish({
    reason: mapOpenAiChatFinishReason(finishReason),
    usage,
    ...ending,
    ...vendorReason,
  });
}

function stopSequenceOf(
  { stop_reason: vllm, matched_stop: sglang }: Choice,
  { stop = [] }: ProviderCall['input'],
): Ending {
  const stopSequence = stop.find((sequence) => sequence === vllm || sequence === sglang);
  return stopSequence === undefined ? {} : { stopSequence };
}

/** Groq sends it under its own name if it was not requested. */
function usageOfChunk(
  chunk: ChatCompletionChunk & { x_groq?: { usage?: OpenAiChatUsage } },
): OpenAiChatUsage | null {
  return chunk.usage ?? chunk.x_groq?.usage ?? null;
}

interface ChunkContext {
  readonly answer: AnswerState;
  readonly reasoning: ChatReasoning;
  /** Of the text in this chunk. */
  readonly logprobs: readonly TokenLogprob[];
}

function* mapOpenAiChatContent(
  delta: VendorDelta,
  { answer, reasoning, logprobs }: ChunkContext,
): Generator<ProviderEvent> {
  // Some vendors send the same text under both names.
  const thought = delta.reasoning_content ?? delta.reasoning;
  if (typeof thought === 'string' && thought !== '') yield reasoning.text(thought);
  reasoning.details(delta.reasoning_details);
  const { content, refusal, annotations } = delta;
  if (typeof refusal === 'string') answer.refuse(refusal);
  if (typeof content === 'string') {
    if (content !== '') {
      yield* reasoning.close();
      yield answer.text(content, logprobs);
    }
  } else if (Array.isArray(content)) yield* mapListedContent(content, answer, reasoning);
  else if (content !== null && content !== undefined) throw malformed('content that is not text');
  if (!Array.isArray(annotations)) return;
  for (const value of annotations) {
    if (isObject(value)) yield { type: 'annotation', format: 'openai-chat', value };
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Mistral: `{type: 'text', text}` and `{type: 'thinking', thinking: [{type: 'text', text}]}`. */
function* mapListedContent(
  content: readonly unknown[],
  answer: AnswerState,
  reasoning: ChatReasoning,
): Generator<ProviderEvent> {
  for (const part of content as readonly { type?: string; text?: unknown; thinking?: unknown }[]) {
    if (part.type === 'text' && typeof part.text === 'string') {
      yield* reasoning.close();
      yield answer.text(part.text);
    } else if (part.type === 'thinking' && Array.isArray(part.thinking)) {
      const thoughts = part.thinking as readonly { text?: unknown }[];
      const text = thoughts.map((thought) => thought.text ?? '').join('');
      if (text !== '') yield reasoning.text(text);
    }
  }
}

/** OpenRouter: an error of the upstream model, sent as the end of the choice. */
function brokenAnswer(choice: Choice & { error?: { code?: unknown; message?: unknown } }): UnbrokenError {
  const { code, message } = choice.error ?? {};
  return toUnbrokenError({
    status: parseErrorStatus(code),
    kind: 'server_error',
    message: typeof message === 'string' ? message : 'The answer ended with an error.',
    headers: undefined,
    isStreaming: true,
  });
}

const KNOWN_REASONS: ReadonlySet<string> = new Set([
  'stop',
  'length',
  'tool_calls',
  'function_call',
  'content_filter',
  'refusal',
]);

/** A reason that is not known is an end all the same. */
function mapOpenAiChatFinishReason(reason: string): FinishReason {
  if (reason === 'tool_calls' || reason === 'function_call') return 'tool-calls';
  if (reason === 'length' || reason === 'model_length' || reason === 'max_tokens') return 'length';
  if (reason === 'refusal') return 'refusal';
  return isFilter(reason) ? 'content-filter' : 'stop';
}
