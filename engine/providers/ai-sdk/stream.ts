/**
 * Maps the stream parts of an AI SDK model to ours. Source: the types of `@ai-sdk/provider`, LanguageModelV4StreamPart.
 */
import type { LanguageModelV3StreamPart, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { AnswerState, streamCut } from '../answer-state.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { ReasoningItems } from '../reasoning-items.ts';
import { mapAiSdkUsage } from './usage.ts';

export async function* mapAiSdkStream(
  stream: AsyncIterable<LanguageModelV4StreamPart | LanguageModelV3StreamPart>,
  call: Pick<ProviderCall, 'resume' | 'input'>,
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState(call);
  const reasoning = new ReasoningItems();
  const callIds = new Map<string, string>();
  const startToolCall = (vendorId: string, name: string) => {
    const id = answer.uniqueCallId(vendorId);
    callIds.set(vendorId, id);
    return answer.startToolCall(vendorId, id, name);
  };
  for await (const part of stream) {
    switch (part.type) {
      case 'text-delta':
        if (part.delta === '') break;
        reasoning.close();
        yield answer.text(part.delta);
        break;
      case 'reasoning-delta':
        if (part.delta !== '') yield reasoning.text(part.delta);
        break;
      case 'reasoning-end': {
        const { providerMetadata } = part;
        const text = reasoning.close() ?? '';
        if (providerMetadata !== undefined) {
          yield reasoning.data({ wire: 'ai-sdk', value: { text, providerMetadata } });
        }
        break;
      }
      case 'tool-input-start':
        yield startToolCall(part.id, part.toolName);
        break;
      case 'tool-input-delta':
        yield answer.appendArguments(part.id, part.delta);
        break;
      case 'tool-call':
        // It repeats a call whose deltas came before; some packages send only this part.
        if (!answer.hasToolCall(part.toolCallId)) {
          yield startToolCall(part.toolCallId, part.toolName);
          yield answer.appendArguments(part.toolCallId, part.input);
        }
        if (part.providerMetadata !== undefined) {
          const { toolCallId, providerMetadata } = part;
          const callId = callIds.get(toolCallId) ?? toolCallId;
          yield { type: 'reasoning-data', data: { wire: 'ai-sdk', callId, value: { providerMetadata } } };
        }
        break;
      case 'error':
        throw part.error;
      case 'finish': {
        const usage = mapAiSdkUsage(part.usage);
        if (usage !== null) yield { type: 'usage', usage };
        const { unified, raw } = part.finishReason;
        yield* answer.finish({ usage, ...mapAiSdkFinishReason(unified, raw, answer) });
        return;
      }
      default:
        break;
    }
  }
  throw streamCut();
}

function mapAiSdkFinishReason(
  reason: string,
  raw: string | undefined,
  { hasContent }: AnswerState,
): { readonly reason: FinishReason; readonly vendorReason?: string } {
  switch (reason) {
    case 'stop':
    case 'length':
    case 'tool-calls':
      return { reason };
    case 'content-filter':
      return { reason: raw === 'refusal' ? 'refusal' : 'content-filter' };
    case 'error':
      throw new UnbrokenError('provider_unavailable', 'The answer ended with an error.');
    default:
      // The packages report `other` for a stream that ended without a reason, and for one that they do not know.
      if (reason === 'other' && raw !== undefined && hasContent) return { reason: 'stop', vendorReason: raw };
      throw streamCut();
  }
}
