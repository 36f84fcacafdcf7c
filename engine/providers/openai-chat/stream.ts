/** The chunks of a chat completion as ours. Source: OpenAI API reference, "The chat completion chunk object". */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { type AnswerState, createAnswerState, malformed, streamCut } from '../answer-state.ts';
import { toUnbrokenError } from '../http-errors.ts';
import type { ProviderEvent } from '../provider.ts';
import { type ReportedUsage, toUsage } from './usage.ts';

type Choice = ChatCompletionChunk['choices'][number];
type ToolCallDelta = NonNullable<Choice['delta']['tool_calls']>[number];

/** What vendors have added to a delta: reasoning under two names, content as a list (Mistral). */
interface VendorDelta {
  readonly content?: unknown;
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
  readonly refusal?: unknown;
}

/** @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is. */
export async function* toProviderEvents(
  stream: AsyncIterable<ChatCompletionChunk>,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  const answer = createAnswerState(mayBeEmpty);
  let usage: Usage | null = null;
  let finishReason: string | null = null;
  let isRefused = false;
  for await (const chunk of stream) {
    const reported = toUsage(usageIn(chunk));
    if (reported !== null) {
      usage = reported;
      yield { type: 'usage', usage };
    }
    const choice = chunk.choices?.[0];
    if (choice === undefined) continue;
    const delta: VendorDelta & Pick<Choice['delta'], 'tool_calls'> = choice.delta ?? {};
    yield* contentOf(delta, answer);
    for (const [place, call] of (delta.tool_calls ?? []).entries())
      yield* callOf(call, place, chunk.id, answer);
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
  yield* answer.finish(toFinishReason(finishReason), usage);
}

/** Groq puts it under a name of its own where it was not asked for. */
function usageIn(chunk: ChatCompletionChunk & { x_groq?: { usage?: ReportedUsage } }): ReportedUsage | null {
  return chunk.usage ?? chunk.x_groq?.usage ?? null;
}

function* contentOf(delta: VendorDelta, answer: AnswerState): Generator<ProviderEvent> {
  // Some send the same under both names.
  const reasoning = delta.reasoning_content ?? delta.reasoning;
  if (typeof reasoning === 'string' && reasoning !== '') yield { type: 'reasoning', text: reasoning };
  const { content } = delta;
  if (content === null || content === undefined || content === '') return;
  if (typeof content === 'string') yield answer.text(content);
  else if (Array.isArray(content)) yield* listedContent(content, answer);
  else throw malformed('content that is no text');
}

/** Mistral: `{type: 'text', text}` and `{type: 'thinking', thinking: [{type: 'text', text}]}`. */
function* listedContent(content: readonly unknown[], answer: AnswerState): Generator<ProviderEvent> {
  for (const part of content as readonly { type?: string; text?: unknown; thinking?: unknown }[]) {
    if (part.type === 'text' && typeof part.text === 'string') yield answer.text(part.text);
    else if (part.type === 'thinking' && Array.isArray(part.thinking)) {
      const thoughts = part.thinking as readonly { text?: unknown }[];
      yield { type: 'reasoning', text: thoughts.map(({ text }) => text ?? '').join('') };
    }
  }
}

function* callOf(
  { index, id, function: called }: ToolCallDelta,
  order: number,
  responseId: string,
  answer: AnswerState,
): Generator<ProviderEvent> {
  // Some give every call the place 0, or none; then its id tells it from the one before.
  const byPlace = index ?? order;
  const place = id && answer.hasCall(byPlace) && answer.idOf(byPlace) !== id ? id : byPlace;
  if (!answer.hasCall(place)) {
    yield answer.call(place, id || `${responseId}-${place}`, called?.name ?? '');
  }
  if (called?.arguments) yield answer.more(place, called.arguments);
}

/** OpenRouter: an error of the model behind it, told as the end of the choice. */
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

function toFinishReason(reason: string): FinishReason {
  if (reason === 'tool_calls' || reason === 'function_call') return 'tool-calls';
  return reason === 'length' || reason === 'model_length' ? 'length' : 'stop';
}
