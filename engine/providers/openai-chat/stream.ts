/**
 * Sends a call, and maps the chunks of its chat completion to ours. Source: OpenAI API reference, "The chat completion
 * chunk object".
 */
import type OpenAI from 'openai';
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, malformed, streamCut } from '../answer-state.ts';
import { toUnbrokenError } from '../http-errors.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { buildOpenAiChatRequest } from './request.ts';
import { mapOpenAiChatUsage, type OpenAiChatUsage } from './usage.ts';

type Choice = ChatCompletionChunk['choices'][number];
type ToolCallDelta = NonNullable<Choice['delta']['tool_calls']>[number];

/** Vendors' additions to a delta: reasoning under two names, content as a list (Mistral). */
interface VendorDelta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly refusal?: unknown;
}

export async function* streamOpenAiChat(
  client: OpenAI,
  call: ProviderCall,
  quirks: ProviderSettings['quirks'],
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const { idempotencyKey, promptCacheKey } = call;
  const headers = {
    'Idempotency-Key': idempotencyKey,
    ...(quirks?.promptCacheKey === 'x-grok-conv-id' && promptCacheKey !== undefined
      ? { 'x-grok-conv-id': promptCacheKey }
      : {}),
  };
  const request = buildOpenAiChatRequest(call, quirks);
  const stream = await client.chat.completions.create(request, { signal, headers });
  yield { type: 'accepted' };
  yield* mapOpenAiChatStream(stream, { mayBeEmpty: 'deliveredText' in call.resume });
}

/** @param mayBeEmpty whether an answer without new content is complete: the text delivered before was the whole. */
async function* mapOpenAiChatStream(
  stream: AsyncIterable<ChatCompletionChunk>,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState({ mayBeEmpty });
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  let isRefused = false;
  for await (const chunk of stream) {
    const reported = mapOpenAiChatUsage(usageOfChunk(chunk));
    if (reported !== null) {
      usage = reported;
      yield { type: 'usage', usage };
    }
    const choice = chunk.choices?.[0];
    if (choice === undefined) continue;
    const delta: VendorDelta & Pick<Choice['delta'], 'tool_calls'> = choice.delta ?? {};
    yield* mapOpenAiChatContent(delta, answer);
    for (const [place, call] of (delta.tool_calls ?? []).entries())
      yield* mapOpenAiChatToolCall(call, place, chunk.id, answer);
    if (delta.refusal) isRefused = true;
    finishReason = choice.finish_reason ?? finishReason;
    if (choice.finish_reason === ('error' as string)) throw brokenAnswer(choice);
  }
  if (finishReason === null) throw streamCut();
  if (isRefused) throw new UnbrokenError('content_filtered', 'The model refused.');
  if (finishReason === 'content_filter') {
    throw new UnbrokenError('content_filtered', 'The answer was cut by a filter.');
  }
  if (finishReason === 'insufficient_system_resource') {
    throw new UnbrokenError('provider_unavailable', 'The provider ran out of resources.');
  }
  yield* answer.finish(mapOpenAiChatFinishReason(finishReason), usage);
}

/** Groq sends it under its own name if it was not requested. */
function usageOfChunk(
  chunk: ChatCompletionChunk & { x_groq?: { usage?: OpenAiChatUsage } },
): OpenAiChatUsage | null {
  return chunk.usage ?? chunk.x_groq?.usage ?? null;
}

function* mapOpenAiChatContent(delta: VendorDelta, answer: AnswerState): Generator<ProviderEvent> {
  // Some vendors send the same text under both names.
  const reasoning = delta.reasoning_content ?? delta.reasoning;
  if (typeof reasoning === 'string' && reasoning !== '') yield { type: 'reasoning', text: reasoning };
  const { content } = delta;
  if (content === null || content === undefined || content === '') return;
  if (typeof content === 'string') yield answer.text(content);
  else if (Array.isArray(content)) yield* mapListedContent(content, answer);
  else throw malformed('content that is not text');
}

/** Mistral: `{type: 'text', text}` and `{type: 'thinking', thinking: [{type: 'text', text}]}`. */
function* mapListedContent(content: readonly unknown[], answer: AnswerState): Generator<ProviderEvent> {
  for (const part of content as readonly { type?: string; text?: unknown; thinking?: unknown }[]) {
    if (part.type === 'text' && typeof part.text === 'string') yield answer.text(part.text);
    else if (part.type === 'thinking' && Array.isArray(part.thinking)) {
      const thoughts = part.thinking as readonly { text?: unknown }[];
      yield { type: 'reasoning', text: thoughts.map(({ text }) => text ?? '').join('') };
    }
  }
}

function* mapOpenAiChatToolCall(
  { index, id, function: called }: ToolCallDelta,
  order: number,
  responseId: string,
  answer: AnswerState,
): Generator<ProviderEvent> {
  // Some vendors send place 0, or none, with every tool call; then its id distinguishes it from the one before.
  const byPlace = index ?? order;
  const place = id && answer.hasToolCall(byPlace) && answer.toolCallId(byPlace) !== id ? id : byPlace;
  if (!answer.hasToolCall(place)) {
    yield answer.startToolCall(place, id || `${responseId}-${place}`, called?.name ?? '');
  }
  if (called?.arguments) yield answer.appendArguments(place, called.arguments);
}

/** OpenRouter: an error of the upstream model, sent as the end of the choice. */
function brokenAnswer(choice: Choice & { error?: { code?: unknown; message?: unknown } }): UnbrokenError {
  const { code, message } = choice.error ?? {};
  return toUnbrokenError({
    status: typeof code === 'number' ? code : undefined,
    kind: 'server_error',
    message: typeof message === 'string' ? message : 'The answer ended with an error.',
    headers: undefined,
    isStreaming: true,
  });
}

function mapOpenAiChatFinishReason(reason: string): FinishReason {
  if (reason === 'tool_calls' || reason === 'function_call') return 'tool-calls';
  return reason === 'length' || reason === 'model_length' ? 'length' : 'stop';
}
