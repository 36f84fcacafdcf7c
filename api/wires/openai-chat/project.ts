/**
 * The log -> the chunks of OpenAI's chat completions. Pure. Reasoning goes into `reasoning_content`, as other servers
 * of this format have it. Source: the types of the official client, ChatCompletionChunk.
 */
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionMessage,
} from 'openai/resources/chat/completions';
import type { CompletionUsage } from 'openai/resources/completions';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { type Answer, tokensOf } from '../answer.ts';
import { idIn, type Projection } from '../wire.ts';

type Delta = ChatCompletionChunk.Choice['delta'] & { reasoning_content?: string };
type WireFinish = ChatCompletionChunk.Choice['finish_reason'];

export interface ChatContext {
  readonly model: string;
  readonly includeUsage: boolean;
}

export function projectChat({ model: asked, includeUsage }: ChatContext): Projection<ChatCompletionChunk> {
  let id = '';
  let created = 0;
  let model = asked;
  let hasBegun = false;
  const begunCalls = new Set<number>();

  const chunk = (choices: ChatCompletionChunk['choices'], usage: CompletionUsage | null = null) =>
    ({
      id,
      object: 'chat.completion.chunk',
      created,
      model,
      choices,
      ...(includeUsage ? { usage } : {}),
    }) satisfies ChatCompletionChunk;
  const choice = (delta: Delta, finish_reason: WireFinish = null) => {
    const role: Delta = hasBegun ? {} : { role: 'assistant', content: '' };
    hasBegun = true;
    return chunk([{ index: 0, delta: { ...role, ...delta }, finish_reason }]);
  };

  return {
    push: (event: GenerationEvent) => {
      switch (event.type) {
        case 'generation-start':
          id = idIn('chatcmpl-', event.generationId);
          created = Math.floor(event.at / 1_000);
          return [];
        case 'provider-start':
        case 'cache-hit':
          model = `${event.provider}/${event.model}`;
          return [];
        case 'text-delta':
          return [choice({ content: event.text })];
        case 'reasoning-delta':
          return [choice({ reasoning_content: event.text })];
        case 'tool-call-delta': {
          const { index, name, arguments: written } = event;
          const isFirst = !begunCalls.has(index);
          begunCalls.add(index);
          const call = isFirst
            ? { index, id: event.id, type: 'function' as const, function: { name, arguments: written } }
            : { index, function: { arguments: written } };
          return [choice({ tool_calls: [call] })];
        }
        case 'generation-end': {
          const end = choice({}, finishOf(event.finishReason));
          return includeUsage ? [end, chunk([], usageOf(event.usage))] : [end];
        }
        default:
          return [];
      }
    },
  };
}

/** The whole answer, where no stream was asked for. */
export function wholeChat(model: string, answer: Answer): ChatCompletion {
  const { generationId, startedAtMs, end, text, reasoning, toolCalls } = answer;
  const message: ChatCompletionMessage & { reasoning_content?: string } = {
    role: 'assistant',
    content: text === '' && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length === 0
      ? {}
      : {
          tool_calls: toolCalls.map(({ id, name, arguments: written }) => ({
            id,
            type: 'function' as const,
            function: { name, arguments: written },
          })),
        }),
  };
  const finish = end?.type === 'generation-end' ? end.finishReason : 'stop';
  return {
    id: idIn('chatcmpl-', generationId),
    object: 'chat.completion',
    created: Math.floor(startedAtMs / 1_000),
    model: answer.model ?? model,
    choices: [{ index: 0, message, finish_reason: finishOf(finish), logprobs: null }],
    ...(end === null ? {} : { usage: usageOf(end.usage) }),
  };
}

function finishOf(reason: FinishReason): 'stop' | 'length' | 'tool_calls' {
  return reason === 'tool-calls' ? 'tool_calls' : reason;
}

function usageOf(usage: Usage): CompletionUsage {
  const { input, output, total } = tokensOf(usage);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: total,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}
