/**
 * Sends a call, and maps the chunks of its chat completion to ours. Source: OpenAI API reference, "The chat completion
 * chunk object".
 */
import type OpenAI from 'openai';
import { APIError } from 'openai';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { Ending } from '../../../contracts/ending.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { Usage } from '../../../contracts/money.ts';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import { toUnbrokenError } from '../../vendor-errors/http-error.ts';
import { parseErrorStatus } from '../../vendor-errors/vendor-error.ts';
import { AnswerState, brokenCall, malformed, streamCut } from '../answer-state.ts';
import type { Link } from '../http-link.ts';
import { OpenAiEvents } from '../openai-events.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { lowerCapIn } from '../refused-cap.ts';
import { untilWhole } from '../until-whole.ts';
import { FAILED, KNOWN_REASONS, mapOpenAiChatFinishReason } from './finish-reason.ts';
import { withForcedTool } from './forced-tools.ts';
import { ChatLogprobs } from './logprobs.ts';
import { ChatReasoning } from './reasoning.ts';
import { buildOpenAiChatRequest, type ChatRequest, isPrefilled } from './request.ts';
import { SearchResults } from './search-results.ts';
import { ThinkTags } from './think-tags.ts';
import { ToolCallPlaces } from './tool-call-places.ts';
import { completedBy, mapOpenAiChatUsage, type OpenAiChatUsage } from './usage.ts';
import { asChunk, withOneChoice } from './whole-chunk.ts';

/** vLLM and SGLang say which stop sequence ended the answer; a number is that of a token. Moonshot: usage. */
type Choice = ChatCompletionChunk['choices'][number] & {
  readonly stop_reason?: unknown;
  readonly matched_stop?: unknown;
  readonly usage?: OpenAiChatUsage | null;
  /** OpenRouter: as the vendor behind it says, and the error of that vendor. */
  readonly native_finish_reason?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown } | null;
};

/**
 * Vendors' additions to a delta: reasoning under several names, content as a list (Mistral, Databricks), citations,
 * pictures (OpenRouter, "Image generation").
 */
interface VendorDelta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly reasoning_text?: unknown;
  readonly thinking?: unknown;
  readonly reasoning_details?: unknown;
  readonly refusal?: unknown;
  readonly annotations?: unknown;
  readonly images?: unknown;
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
  const send = (body: ChatRequest) => client.chat.completions.create(body, { signal, headers }).asResponse();
  const response = await send(request).catch((error: unknown) => {
    const fitted = withForcedTool(error, request, quirks) ?? withLowerCap(error, request);
    if (fitted === null) throw error;
    return send(fitted);
  });
  yield { type: 'accepted' };
  yield* mapOpenAiChatStream(new OpenAiEvents<ChatCompletionChunk>(response, link), call, quirks);
}

function withLowerCap(error: unknown, request: ChatRequest): ChatRequest | null {
  const field = 'max_completion_tokens' in request ? 'max_completion_tokens' : 'max_tokens';
  const cap = lowerCapIn(error, request[field]);
  return cap === null ? null : { ...request, [field]: cap };
}

/** @param stream and perhaps, at its end, whether the server has said that nothing follows. */
export async function* mapOpenAiChatStream(
  stream: AsyncIterable<ChatCompletionChunk> & { readonly isDone?: boolean },
  call: ProviderCall,
  quirks: ProviderSettings['quirks'],
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState(call);
  const places = new ToolCallPlaces(answer, call.input);
  const reasoning = new ChatReasoning(quirks);
  const logprobs = new ChatLogprobs();
  const results = new SearchResults(call);
  const tags = new ThinkTags();
  if (isPrefilled(call) || 'deliveredText' in call.resume) tags.stop();
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  let ending: Ending = {};
  /** Whether the usage has come by itself, behind the answer. */
  let isCounted = false;
  let isWhole = false;
  const isSent = (error: unknown) => error instanceof APIError;
  for await (const original of untilWhole(stream, { isWhole: () => isWhole, isSent })) {
    const chunk = withOneChoice(answer.hasContent ? original : asChunk(original));
    const reported = mapOpenAiChatUsage(usageOfChunk(chunk));
    if (reported !== null) {
      usage = completedBy(usage, reported);
      yield { type: 'usage', usage };
    }
    results.take(chunk as object);
    const choice: Choice | undefined = chunk.choices?.[0];
    if (choice === undefined) {
      isCounted ||= reported !== null && answer.hasContent;
      continue;
    }
    isCounted = false;
    const delta: VendorDelta & Pick<Choice['delta'], 'tool_calls'> = choice.delta ?? {};
    const context = { answer, reasoning, tags, logprobs: logprobs.take(choice) };
    for (const event of mapOpenAiChatContent(delta, context)) yield results.note(event);
    if ((delta.tool_calls ?? []).length > 0) yield* reasoning.close();
    for (const [order, toolCall] of (delta.tool_calls ?? []).entries()) yield* places.take(toolCall, order);
    const reason = finishReasonOf(choice);
    finishReason = reason ?? finishReason;
    // Some servers send a reason with every chunk.
    isWhole = (reason !== null && !isWhole) || (isWhole && isBlank(delta));
    ending = { ...ending, ...stopSequenceOf(choice, call.input) };
    if (FAILED.test(reason ?? '') || isObject(choice.error)) throw brokenAnswer(choice);
    const reasons = `${choice.finish_reason ?? ''} ${choice.native_finish_reason ?? ''}`;
    if (reasons.length > 1 && BROKEN_CALL.test(reasons)) throw brokenCall();
  }
  // Some servers end an answer without a reason. One that was cut has no last event.
  if ((stream.isDone === true || isCounted) && answer.hasContent && places.areWhole) finishReason ??= 'stop';
  if (finishReason === null) throw streamCut();
  yield* places.end();
  for (const event of mapTaggedText(tags.end(), { answer, reasoning })) yield results.note(event);
  yield* reasoning.close();
  yield* results.close();
  if (finishReason === 'insufficient_system_resource') {
    throw new UnbrokenError('provider_unavailable', 'The provider ran out of resources.');
  }
  const vendorReason = KNOWN_REASONS.has(finishReason) ? {} : { vendorReason: finishReason };
  const reason = mapOpenAiChatFinishReason(finishReason);
  yield* answer.finish({ reason, usage, ...ending, ...vendorReason });
}

/** Some servers send an empty text, or `null` as a text, until the end. */
function finishReasonOf({ finish_reason: reason }: Choice): string | null {
  return (reason as string | null | undefined) === '' || (reason as string) === 'null' ? null : reason;
}

/** A delta without content. */
function isBlank({ role: _, ...delta }: VendorDelta & { readonly role?: unknown }): boolean {
  return Object.values(delta).every(
    (value) => value === null || (Array.isArray(value) && value.length === 0) || value === '',
  );
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
  const choice: Choice | undefined = chunk.choices?.[0];
  return chunk.usage ?? chunk.x_groq?.usage ?? choice?.usage ?? null;
}

interface ChunkContext {
  readonly answer: AnswerState;
  readonly reasoning: ChatReasoning;
  readonly tags: ThinkTags;
  /** Of the text in this chunk. */
  readonly logprobs: readonly TokenLogprob[];
}

function* mapOpenAiChatContent(
  delta: VendorDelta,
  { answer, reasoning, tags, logprobs }: ChunkContext,
): Generator<ProviderEvent> {
  // Some vendors send the same text under several names, and some of these empty.
  const names = [delta.reasoning_content, delta.reasoning, delta.reasoning_text, delta.thinking];
  const thought = names.map(textIn).find(isText);
  if (thought !== undefined) {
    tags.stop();
    yield reasoning.text(thought);
  }
  yield* reasoning.details(delta.reasoning_details);
  const { refusal, annotations, images } = delta;
  const content = isObject(delta.content) && !Array.isArray(delta.content) ? [delta.content] : delta.content;
  if (typeof refusal === 'string') answer.refuse(refusal);
  if (typeof content === 'string') {
    const pieces = [...tags.take(content)];
    const isWhole = pieces.length === 1 && pieces[0]?.text === content;
    yield* mapTaggedText(pieces, { answer, reasoning }, isWhole ? logprobs : []);
  } else if (Array.isArray(content)) yield* mapListedContent(content, answer, reasoning);
  else if (content !== null && content !== undefined) throw malformed('content that is not text');
  if (Array.isArray(images) && images.length > 0) {
    yield* reasoning.close();
    for (const value of images) if (isObject(value)) yield answer.nativePart('openai-chat', value);
  }
  if (!Array.isArray(annotations)) return;
  for (const value of annotations) {
    if (isObject(value)) yield { type: 'annotation', format: 'openai-chat', value };
  }
}

function* mapTaggedText(
  pieces: Iterable<{ readonly isThought: boolean; readonly text: string }>,
  { answer, reasoning }: Pick<ChunkContext, 'answer' | 'reasoning'>,
  logprobs: readonly TokenLogprob[] = [],
): Generator<ProviderEvent> {
  for (const { isThought, text } of pieces) {
    if (isThought) yield reasoning.text(text);
    else {
      yield* reasoning.close();
      yield answer.text(text, logprobs);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

interface ListedPart {
  readonly type?: string;
  readonly text?: unknown;
  /** Mistral: `{type: 'thinking', thinking: [{type: 'text', text}]}`. */
  readonly thinking?: unknown;
  /** Databricks: `{type: 'reasoning', summary: [{type: 'summary_text', text}]}`. */
  readonly summary?: unknown;
}

function* mapListedContent(
  content: readonly unknown[],
  answer: AnswerState,
  reasoning: ChatReasoning,
): Generator<ProviderEvent> {
  for (const part of content) {
    const { type, text, thinking, summary }: ListedPart =
      typeof part === 'string' ? { text: part } : Object(part);
    if (typeof text === 'string' && (type === undefined || TEXT.has(type))) {
      yield* reasoning.close();
      yield answer.text(text);
    } else if (type === 'thinking' || type === 'reasoning') {
      const thought = textIn(thinking ?? summary);
      if (thought !== '') yield reasoning.text(thought);
    }
  }
}

/** The names of text in a list; some servers leave them out. */
const TEXT: ReadonlySet<string> = new Set(['text', 'output_text']);

/** The text of a thought: some servers send a list of parts, or a part. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(textIn).join('');
  if (!isObject(value)) return '';
  return [value['text'], value['content']].find(isText) ?? '';
}

/** OpenRouter: an error of the upstream model, sent as the end of the choice. */
function brokenAnswer(choice: Choice): UnbrokenError {
  const { code, message } = choice.error ?? {};
  return toUnbrokenError({
    status: parseErrorStatus(code),
    kind: 'server_error',
    message: typeof message === 'string' ? message : 'The answer ended with an error.',
    headers: undefined,
    isStreaming: true,
  });
}

/** Gemini's reasons, as its own endpoint of this format and gateways pass them on. What came before is a part of it. */
const BROKEN_CALL = /malformed_(?:function_call|response)|unexpected_tool_call|too_many_tool_calls/i;
