/** The events of a Cohere answer as ours. Source: Cohere, "A guide to streaming responses (v2)". */
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { type AnswerState, createAnswerState, malformed, streamCut } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { type ReportedUsage, toUsage } from './usage.ts';

/** The fields that are read here, of all kinds of events in one. */
export interface CohereEvent {
  readonly type: string;
  readonly index?: number | undefined;
  readonly delta?:
    | {
        readonly message?: MessageDelta | undefined;
        readonly finishReason?: string | undefined;
        readonly error?: string | undefined;
        readonly usage?: ReportedUsage | undefined;
      }
    | undefined;
}

interface MessageDelta {
  readonly content?: { readonly text?: unknown; readonly thinking?: unknown } | undefined;
  readonly toolPlan?: unknown;
  readonly toolCalls?:
    | { readonly id?: string; readonly function?: { readonly name?: string; readonly arguments?: string } }
    | undefined;
}

/** @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is. */
export async function* toProviderEvents(
  stream: AsyncIterable<CohereEvent>,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  const answer = createAnswerState(mayBeEmpty);
  for await (const event of stream) {
    const message = event.delta?.message;
    switch (event.type) {
      case 'content-start':
      case 'content-delta':
        yield* contentOf(message, answer);
        break;
      case 'tool-plan-delta':
        if (typeof message?.toolPlan === 'string') yield { type: 'reasoning', text: message.toolPlan };
        break;
      case 'tool-call-start': {
        const { id, function: called } = message?.toolCalls ?? {};
        const place = event.index ?? 0;
        yield answer.call(place, id || `call-${place}`, called?.name ?? '');
        if (called?.arguments) yield answer.more(place, called.arguments);
        break;
      }
      case 'tool-call-delta': {
        const piece = message?.toolCalls?.function?.arguments;
        if (piece !== undefined) yield answer.more(event.index ?? 0, piece);
        break;
      }
      case 'message-end': {
        const usage = toUsage(event.delta?.usage);
        if (usage !== null) yield { type: 'usage', usage };
        yield* answer.finish(toFinishReason(event.delta?.finishReason, event.delta?.error), usage);
        return;
      }
      default:
        break;
    }
  }
  throw streamCut();
}

function* contentOf(message: MessageDelta | undefined, answer: AnswerState): Generator<ProviderEvent> {
  const { text, thinking } = message?.content ?? {};
  if (typeof thinking === 'string' && thinking !== '') yield { type: 'reasoning', text: thinking };
  if (text === undefined || text === null || text === '') return;
  if (typeof text !== 'string') throw malformed('content that is no text');
  yield answer.text(text);
}

function toFinishReason(reason: string | undefined, error: string | undefined): FinishReason {
  switch (reason) {
    case 'COMPLETE':
    case 'STOP_SEQUENCE':
      return 'stop';
    case 'MAX_TOKENS':
      return 'length';
    case 'TOOL_CALL':
      return 'tool-calls';
    default:
      if (/toxic|content filter|safety/i.test(`${reason ?? ''} ${error ?? ''}`)) {
        throw new UnbrokenError('content_filtered', 'The answer was cut by a filter.');
      }
      throw new UnbrokenError('provider_unavailable', 'The provider ended the answer with an error.');
  }
}
