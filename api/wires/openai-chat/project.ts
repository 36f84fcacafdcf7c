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
import {
  addUsage,
  inputTokensOf,
  NO_USAGE,
  outputTokensOf,
  totalTokens,
  type Usage,
} from '../../../contracts/money.ts';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import { type Answer, refusalText, sumOfFacts } from '../answer.ts';
import { TextPlace } from '../answer-parts.ts';
import { toOpenAiLogprobs } from '../openai-logprobs.ts';
import type { ReasoningSeal } from '../reasoning.ts';
import { toChatAnnotation } from '../url-citation.ts';
import { type Projection, wireId } from '../wire.ts';
import { functionCallOf, functionDelta } from './functions.ts';
import { type ReasoningFields, reasoningOf, sealedDetail, sealOfCall } from './reasoning.ts';

/** Answers with citations or pictures have them beside the text, though the SDK has no type for that. */
type Delta = ChatCompletionChunk.Choice['delta'] &
  ReasoningFields & { annotations?: object[]; images?: readonly object[] };
type CallDelta = NonNullable<Delta['tool_calls']>[number];
type ToolCallDelta = Extract<GenerationEvent, { type: 'tool-call-delta' }>;
type ChoiceFields = Partial<Pick<ChatCompletionChunk.Choice, 'finish_reason' | 'logprobs'>>;

interface ChatContext {
  /** The model as the caller named it; used until the log names the one that answers. */
  readonly model: string;
  readonly includeUsage: boolean;
  /** Of its choice; absent: the first. */
  readonly index?: number;
  /** The generation of the first choice, after which all chunks are named; absent: this one. */
  readonly firstId?: string;
  /** Whether the request had `functions`; absent: no. */
  readonly usesFunctions?: boolean;
}

export class ChatProjection implements Projection<ChatCompletionChunk> {
  readonly #includeUsage: boolean;
  readonly #index: number;
  readonly #firstId: string | undefined;
  readonly #usesFunctions: boolean;
  #usage: Usage | null = null;
  /** The places of the calls that have started, by their ids. */
  readonly #startedCalls = new Map<string, number>();
  /** What belongs to a call that has not started yet. */
  readonly #sealsOfCalls = new Map<string, string>();
  #details = 0;
  #images = 0;
  #id = '';
  #createdSeconds = 0;
  #model: string;
  #hasSentRole = false;
  readonly #place = new TextPlace();

  constructor({ model, includeUsage, index = 0, firstId, usesFunctions = false }: ChatContext) {
    this.#model = model;
    this.#includeUsage = includeUsage;
    this.#index = index;
    this.#firstId = firstId;
    this.#usesFunctions = usesFunctions;
  }

  push(event: GenerationEvent): readonly ChatCompletionChunk[] {
    switch (event.type) {
      case 'generation-start':
        this.#id = wireId('chatcmpl-', this.#firstId ?? event.generationId);
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
        return [this.#choiceChunk({ content: event.text }, { logprobs: toChatLogprobs(event.logprobs) })];
      case 'annotation': {
        const annotation = toChatAnnotation(event, this.#place.beginsAt);
        return annotation === null ? [] : [this.#choiceChunk({ annotations: [annotation] })];
      }
      case 'native-part':
        if (event.format !== 'openai-chat') return [];
        this.#images += 1;
        return [this.#choiceChunk({ images: [pictureAt(event.value, this.#images - 1)] })];
      case 'reasoning-delta':
        return [this.#choiceChunk({ reasoning_content: event.text })];
      case 'reasoning-seal':
        return this.#seal(event);
      case 'tool-call-delta':
        return this.#callChunk(this.#toolCallDelta(event));
      case 'generation-end':
        return this.#end(event);
      default:
        return [];
    }
  }

  /** What comes last: the usage of all choices. @param others of the same response, which have ended too. */
  usageChunks(others: readonly ChatProjection[]): ChatCompletionChunk[] {
    if (!this.#includeUsage || this.#usage === null) return [];
    const usage = others.reduce((sum, other) => addUsage(sum, other.#usage ?? NO_USAGE), this.#usage);
    return [this.#chunk([], toChatUsage(usage))];
  }

  #end(end: Extract<GenerationEvent, { type: 'generation-end' }>): ChatCompletionChunk[] {
    const refusal = refusalText(end);
    this.#usage = end.usage;
    return [
      ...(refusal === null ? [] : [this.#choiceChunk({ refusal })]),
      this.#choiceChunk({}, { finish_reason: toChatFinishReason(end.finishReason, this.#usesFunctions) }),
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

  #callChunk(call: CallDelta): ChatCompletionChunk[] {
    const delta = this.#usesFunctions ? functionDelta(call) : { tool_calls: [call] };
    return delta === null ? [] : [this.#choiceChunk(delta)];
  }

  #seal({ callId, sealed }: ReasoningSeal): ChatCompletionChunk[] {
    if (callId === undefined) {
      const detail = sealedDetail(sealed, this.#details);
      this.#details += 1;
      return [this.#choiceChunk({ reasoning_details: [detail] })];
    }
    const index = this.#startedCalls.get(callId);
    // The AI SDK, among others, reads no part of a call without its function.
    if (index !== undefined)
      return this.#callChunk({ index, function: { arguments: '' }, ...sealOfCall(sealed) });
    this.#sealsOfCalls.set(callId, sealed);
    return [];
  }

  #choiceChunk(delta: Delta, { finish_reason = null, logprobs }: ChoiceFields = {}): ChatCompletionChunk {
    const role: Delta = this.#hasSentRole ? {} : { role: 'assistant', content: '' };
    this.#hasSentRole = true;
    const own = { index: this.#index, delta: { ...role, ...delta }, finish_reason };
    return this.#chunk([logprobs ? { ...own, logprobs } : own]);
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

/** What the answer says of its request. */
interface AskedFor {
  /** As the caller named it. */
  readonly model: string;
  readonly usesFunctions: boolean;
}

/** The whole answer, for a request without `stream`. @param choices at least one, in their order */
export function wholeChat({ model, usesFunctions }: AskedFor, choices: readonly Answer[]): ChatCompletion {
  const { generationId, startedAtMs, model: answering } = sumOfFacts(choices);
  const usage = choices.reduce((sum, { end }) => addUsage(sum, end?.usage ?? NO_USAGE), NO_USAGE);
  return {
    id: wireId('chatcmpl-', generationId),
    object: 'chat.completion',
    created: Math.floor(startedAtMs / 1_000),
    model: answering ?? model,
    choices: choices.map((answer, index) => toChoice(answer, index, usesFunctions)),
    ...(choices.every(({ end }) => end === null) ? {} : { usage: toChatUsage(usage) }),
  };
}

/** A picture in OpenRouter's form ("Image generation"), and its place among those of the answer. */
function pictureAt(value: Readonly<Record<string, unknown>>, index: number): object {
  return { ...value, index };
}

function toChoice(answer: Answer, index: number, usesFunctions: boolean): ChatCompletion.Choice {
  const { end, text, toolCalls, parts } = answer;
  const reasoning = reasoningOf(answer);
  const annotations = parts.flatMap((part) =>
    part.type === 'text' ? part.annotations.flatMap((own) => toChatAnnotation(own, part.beginsAt) ?? []) : [],
  );
  const images = parts.flatMap((part) =>
    part.type === 'native' && part.format === 'openai-chat' ? [part.value] : [],
  );
  const calls = toolCalls.map(({ id, name, arguments: argumentsJson }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: argumentsJson },
    ...reasoning.ofCalls.get(id),
  }));
  const refusal = refusalText(end);
  const message: ChatCompletionMessage & ReasoningFields & { images?: readonly object[] } = {
    role: 'assistant',
    content: text === '' && (toolCalls.length > 0 || refusal !== null) ? null : text,
    refusal,
    ...(annotations.length === 0 ? {} : { annotations: annotations as ChatCompletionMessage.Annotation[] }),
    ...reasoning.fields,
    ...(images.length === 0 ? {} : { images: images.map(pictureAt) }),
    ...(usesFunctions ? functionCallOf(calls) : calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const finish = end?.type === 'generation-end' ? end.finishReason : 'stop';
  const logprobs = toChatLogprobs(parts.flatMap((part) => (part.type === 'text' ? part.logprobs : [])));
  return { index, message, finish_reason: toChatFinishReason(finish, usesFunctions), logprobs };
}

/** Of the text alone: the words of a refusal are part of its end. */
function toChatLogprobs(tokens: readonly TokenLogprob[] = []): ChatCompletion.Choice.Logprobs | null {
  return tokens.length === 0 ? null : { content: toOpenAiLogprobs(tokens), refusal: null };
}

function toChatFinishReason(
  reason: FinishReason,
  usesFunctions: boolean,
): ChatCompletion.Choice['finish_reason'] {
  if (reason === 'tool-calls') return usesFunctions ? 'function_call' : 'tool_calls';
  if (reason === 'content-filter') return 'content_filter';
  return reason === 'length' ? 'length' : 'stop';
}

function toChatUsage(usage: Usage): CompletionUsage {
  return {
    prompt_tokens: inputTokensOf(usage),
    completion_tokens: outputTokensOf(usage),
    total_tokens: totalTokens(usage),
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      ...(usage.inputAudioTokens === undefined ? {} : { audio_tokens: usage.inputAudioTokens }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      ...(usage.outputImageTokens === undefined ? {} : { image_tokens: usage.outputImageTokens }),
    },
  };
}
