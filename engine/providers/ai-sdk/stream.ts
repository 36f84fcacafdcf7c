/** The stream parts of an AI SDK model as ours. Source: the types of `@ai-sdk/provider`, LanguageModelV4StreamPart. */
import type { LanguageModelV3StreamPart, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { createAnswerState, streamCut } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { toUsage } from './usage.ts';

/** @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is. */
export async function* toProviderEvents(
  stream: AsyncIterable<LanguageModelV4StreamPart | LanguageModelV3StreamPart>,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  const answer = createAnswerState(mayBeEmpty);
  for await (const part of stream) {
    switch (part.type) {
      case 'text-delta':
        if (part.delta !== '') yield answer.text(part.delta);
        break;
      case 'reasoning-delta':
        if (part.delta !== '') yield { type: 'reasoning', text: part.delta };
        break;
      case 'tool-input-start':
        yield answer.call(part.id, part.id, part.toolName);
        break;
      case 'tool-input-delta':
        yield answer.more(part.id, part.delta);
        break;
      case 'tool-call':
        // It repeats a call that came in pieces; some give only this.
        if (!answer.hasCall(part.toolCallId)) {
          yield answer.call(part.toolCallId, part.toolCallId, part.toolName);
          yield answer.more(part.toolCallId, part.input);
        }
        break;
      case 'error':
        throw part.error;
      case 'finish': {
        const usage = toUsage(part.usage);
        if (usage !== null) yield { type: 'usage', usage };
        yield* answer.finish(toFinishReason(part.finishReason.unified), usage);
        return;
      }
      default:
        break;
    }
  }
  throw streamCut();
}

function toFinishReason(reason: string): FinishReason {
  switch (reason) {
    case 'stop':
      return 'stop';
    case 'length':
      return 'length';
    case 'tool-calls':
      return 'tool-calls';
    case 'content-filter':
      throw new UnbrokenError('content_filtered', 'The answer was cut by a filter.');
    case 'error':
      throw new UnbrokenError('provider_unavailable', 'The answer ended with an error.');
    default:
      // `other` is what the packages say of a stream that ended without its reason; `interrupted` says it outright.
      throw streamCut();
  }
}
