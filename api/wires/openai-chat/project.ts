/**
 * Folds a log into the chunks of OpenAI's chat completions. Reasoning goes into `reasoning_content`, as in other
 * servers of this format. Source: the types of the official client, ChatCompletionChunk.
 */
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionMessage,
} from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import { candidateName } from '../../../contracts/candidate.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { inputTokensOf, outputTokensOf, totalTokens, type Usage } from '../../../contracts/money.ts';
import { type Answer, refusalText } from '../answer.ts';
import { TextPlace } from '../answer-parts.ts';
import type { ReasoningSeal } from '../reasoning.ts';
import { toChatAnnotation } from '../url-citation.ts';
import { type Projection, wireId } from '../wire.ts';
import { type ReasoningFields, reasoningOf, sealedDetail, sealOfCall } from './reasoning.ts';

/** Answers with citations have them beside the text, though the SDK has no type for that. */
type Delta = ChatCompletionChunk.Choice['delta'] & ReasoningFields & { annotations?: object[] };
type ToolCallDelta = Extract<GenerationEvent, { type: 'tool-call-delta' }>;
type WireFinish = ChatCompletionChunk.Choice['finish_reason'];

interface ChatContext {
  /** The model as the caller named it; used until the log names the one that answers. */
  readonly model: string;
  readonly includeUsage: boolean;
}

export class ChatProjection implements Projection<ChatCompletionChunk> {
  readonly #includeUsage: boolean;
  /** The places of the calls that have started, by their ids. */
  readonly #startedCalls = new Map<string, number>();
  /** What belongs to a call that has not started yet. */
  readonly #sealsOfCalls = new Map<string, string>();
  #details = 0;
  #id = '';
  #createdSeconds = 0;
  #model: string;
  #hasSentRole = false;
  readonly #place = new TextPlace();

  constructor({ model, includeUsage }: ChatContext) {
    this.#model = model;
    this.#includeUsage = includeUsage;
  }

  push(event: GenerationEvent): readonly ChatCompletionChunk[] {
    switch (event.type) {
      case 'generation-start':
        this.#id = wireId('chatcmpl-', event.generationId);
        this.#createdSeconds = Math.floor(event.at / 1_000);
        return [];
      case 'provider-start':
      case 'cache-hit':
        this.#model = candidateName(event);
        return [];
      case 'text-start':
        this.#place.start(event.part);
        return [];
      case 'text-delta':
        this.#place.add(event.text.length);
        return [this.#choiceChunk({ content: event.text })];
      case 'annotation': {
        const annotation = toChatAnnotation(event, this.#place.beginsAt);
        return annotation === null ? [] : [this.#choiceChunk({ annotations: [annotation] })];
      }
      case 'reasoning-delta':
        return [this.#choiceChunk({ reasoning_content: event.text })];
      case 'reasoning-seal':
        return this.#seal(event);
      case 'tool-call-delta':
        return [this.#choiceChunk({ tool_calls: [this.#toolCallDelta(event)] })];
      case 'generation-end':
        return this.#end(event);
      default:
        return [];
    }
  }

  #end(end: Extract<GenerationEvent, { type: 'generation-end' }>): ChatCompletionChunk[] {
    const refusal = refusalText(end);
    return [
      ...(refusal === null ? [] : [this.#choiceChunk({ refusal })]),
      this.#choiceChunk({}, toChatFinishReason(end.finishReason)),
      ...(this.#includeUsage ? [this.#chunk([], toChatUsage(end.usage))] : []),
    ];
  }

  /** The first delta of a call carries its id and name, all later ones only arguments. */
  #toolCallDelta({ index, id, name, arguments: argumentsJson }: ToolCallDelta) {
    if (this.#startedCalls.get(id) === index) return { index, function: { arguments: argumentsJson } };
    this.#startedCalls.set(id, index);
    const sealed = this.#sealsOfCalls.get(id);
    const own = { index, id, type: 'function' as const, function: { name, arguments: argumentsJson } };
    return sealed === undefined ? own : { ...own, ...sealOfCall(sealed) };
  }

  #seal({ callId, sealed }: ReasoningSeal): ChatCompletionChunk[] {
    if (callId === undefined) {
      const detail = sealedDetail(sealed, this.#details);
      this.#details += 1;
      return [this.#choiceChunk({ reasoning_details: [detail] })];
    }
    const index = this.#startedCalls.get(callId);
    if (index !== undefined) return [this.#choiceChunk({ tool_calls: [{ index, ...sealOfCall(sealed) }] })];
    this.#sealsOfCalls.set(callId, sealed);
    return [];
  }

  #choiceChunk(delta: Delta, finish_reason: WireFinish = null): ChatCompletionChunk {
    const role: Delta = this.#hasSentRole ? {} : { role: 'assistant', content: '' };
    this.#hasSentRole = true;
    return this.#chunk([{ index: 0, delta: { ...role, ...delta }, finish_reason }]);
  }

  #chunk(choices: ChatCompletionChunk['choices'], usage: CompletionUsage | null = null): ChatCompletionChunk {
    return {
      id: this.#id,
      object: 'chat.completion.chunk',
      created: this.#createdSeconds,
      model: this.#model,
      choices,
      ...(this.#includeUsage ? { usage } : {}),
    };
  }
}

/** The whole answer, for a request without `stream`. */
export function wholeChat(model: string, answer: Answer): ChatCompletion {
  const { generationId, startedAtMs, end, text, toolCalls, parts } = answer;
  const reasoning = reasoningOf(answer);
  const annotations = parts.flatMap((part) =>
    part.type === 'text' ? part.annotations.flatMap((own) => toChatAnnotation(own, part.beginsAt) ?? []) : [],
  );
  const refusal = refusalText(end);
  const message: ChatCompletionMessage & ReasoningFields = {
    role: 'assistant',
    content: text === '' && (toolCalls.length > 0 || refusal !== null) ? null : text,
    refusal,
    ...(annotations.length === 0 ? {} : { annotations: annotations as ChatCompletionMessage.Annotation[] }),
    ...reasoning.fields,
    ...(toolCalls.length === 0
      ? {}
      : {
          tool_calls: toolCalls.map(({ id, name, arguments: argumentsJson }) => ({
            id,
            type: 'function' as const,
            function: { name, arguments: argumentsJson },
            ...reasoning.ofCalls.get(id),
          })),
        }),
  };
  const finish = end?.type === 'generation-end' ? end.finishReason : 'stop';
  return {
    id: wireId('chatcmpl-', generationId),
    object: 'chat.completion',
    created: Math.floor(startedAtMs / 1_000),
    model: answer.model ?? model,
    choices: [{ index: 0, message, finish_reason: toChatFinishReason(finish), logprobs: null }],
    ...(end === null ? {} : { usage: toChatUsage(end.usage) }),
  };
}

function toChatFinishReason(reason: FinishReason): 'stop' | 'length' | 'tool_calls' | 'content_filter' {
  if (reason === 'tool-calls') return 'tool_calls';
  if (reason === 'content-filter') return 'content_filter';
  return reason === 'length' ? 'length' : 'stop';
}

function toChatUsage(usage: Usage): CompletionUsage {
  return {
    prompt_tokens: inputTokensOf(usage),
    completion_tokens: outputTokensOf(usage),
    total_tokens: totalTokens(usage),
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}
