/**
 * Maps the stream parts of an AI SDK model to ours. Source: the types of `@ai-sdk/provider`, LanguageModelV4StreamPart.
 */
import type { LanguageModelV3StreamPart, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { AnswerState, streamCut } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { mapAiSdkUsage } from './usage.ts';

/** @param mayBeEmpty whether an answer without new content is complete: the text delivered before was the whole. */
export async function* mapAiSdkStream(
  stream: AsyncIterable<LanguageModelV4StreamPart | LanguageModelV3StreamPart>,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState({ mayBeEmpty });
  for await (const part of stream) {
    switch (part.type) {
      case 'text-delta':
        if (part.delta !== '') yield answer.text(part.delta);
        break;
      case 'reasoning-delta':
        if (part.delta !== '') yield { type: 'reasoning', text: part.delta };
        break;
      case 'tool-input-start':
        yield answer.startToolCall(part.id, part.id, part.toolName);
        break;
      case 'tool-input-delta':
        yield answer.appendArguments(part.id, part.delta);
        break;
      case 'tool-call':
        // It repeats a call whose deltas came before; some packages send only this part.
        if (!answer.hasToolCall(part.toolCallId)) {
          yield answer.startToolCall(part.toolCallId, part.toolCallId, part.toolName);
          yield answer.appendArguments(part.toolCallId, part.input);
        }
        break;
      case 'error':
        throw part.error;
      case 'finish': {
        const usage = mapAiSdkUsage(part.usage);
        if (usage !== null) yield { type: 'usage', usage };
        yield* answer.finish(mapAiSdkFinishReason(part.finishReason.unified), usage);
        return;
      }
      default:
        break;
    }
  }
  throw streamCut();
}

function mapAiSdkFinishReason(reason: string): FinishReason {
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
      // The packages report `other` for a stream that ended without a reason; `interrupted` says so explicitly.
      throw streamCut();
  }
}
