/**
 * Sends a call to any host of the Messages API, and maps the events of its message to ours. Source: Anthropic API
 * reference, "Streaming messages".
 */
import { APIError } from '@anthropic-ai/sdk';
import type {
  MessageCreateParamsStreaming,
  RawMessageDeltaEvent,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages';
import { z } from 'zod';
import { type Ending, endingSchema } from '../../../contracts/ending.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, isFilter, streamCut } from '../answer-state.ts';
import { dropRepeatedSpace } from '../continue-instruction.ts';
import { badRequestWords } from '../http-errors.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { lowerCapIn } from '../refused-cap.ts';
import { untilWhole } from '../until-whole.ts';
import { ContentBlocks } from './content-blocks.ts';
import { withoutRefusedFields } from './refused-fields.ts';
import { withoutGrammar } from './refused-grammar.ts';
import { refusesThoughts, withoutThoughts } from './refused-thoughts.ts';
import { buildAnthropicHeaders, buildAnthropicRequest } from './request.ts';
import { withCap, withOtherThinking } from './thinking-config.ts';
import { type AnthropicUsage, mapAnthropicUsage } from './usage.ts';

/**
 * The options of `post`, the request method below `messages.create` of the SDK's clients. `messages.create` itself
 * writes to the console which models are old, and would put prompts into traces while those are on.
 */
export interface MessagesRequest {
  readonly body: MessageCreateParamsStreaming;
  readonly stream: true;
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
}

/** Sends a request, and resolves with its events once the answer has begun. */
export type SendMessages = (request: MessagesRequest) => PromiseLike<AsyncIterable<RawMessageStreamEvent>>;

export async function* streamAnthropicMessage(
  send: SendMessages,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const { resume } = call;
  const withoutRepeat = dropRepeatedSpace('deliveredText' in resume ? resume.deliveredText : '');
  const headers = buildAnthropicHeaders(call.input);
  const body = buildAnthropicRequest(call);
  const events = await sendAccepted(send, { body, stream: true, signal, headers });
  yield { type: 'accepted' };
  for await (const event of mapAnthropicStream(events, call)) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    const text = withoutRepeat(event.text);
    if (text !== '') yield { type: 'text', text };
  }
}

/** Each refusal may name one thing more that the request can do without. */
const MOST_SENDS = 5;

async function sendAccepted(
  send: SendMessages,
  request: MessagesRequest,
  sends = 1,
): Promise<AsyncIterable<RawMessageStreamEvent>> {
  try {
    return await send(request);
  } catch (error) {
    const fitted = sends < MOST_SENDS ? withoutRefused(error, request) : null;
    if (fitted === null) throw error;
    return await sendAccepted(send, fitted, sends + 1);
  }
}

function withoutRefused(error: unknown, request: MessagesRequest): MessagesRequest | null {
  const words = badRequestWords(error) ?? '';
  const body =
    withOtherThinking(request.body, words) ??
    (refusesThoughts(error) ? withoutThoughts(request.body) : null) ??
    withoutGrammar(words, request.body) ??
    withCap(request.body, lowerCapIn(error, request.body.max_tokens));
  return body === null ? withoutRefusedFields(error, request) : { ...request, body };
}

export async function* mapAnthropicStream(
  stream: AsyncIterable<RawMessageStreamEvent>,
  call: ProviderCall,
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState(call);
  const blocks = new ContentBlocks(answer);
  let first: AnthropicUsage | null = null;
  let last: AnthropicUsage | null = null;
  let end: MessageEnd = { stop_reason: null };
  const isWhole = () => typeof end.stop_reason === 'string';
  const isSent = (error: unknown) => error instanceof APIError;
  for await (const event of untilWhole(stream, { isWhole, isSent })) {
    switch (event.type) {
      case 'message_start':
        first = event.message?.usage ?? null;
        yield* usageEvents(mapAnthropicUsage(first, last));
        break;
      case 'content_block_start':
        yield* blocks.start(event);
        break;
      case 'content_block_delta':
        yield* blocks.delta(event);
        break;
      case 'content_block_stop':
        yield* blocks.stop(event);
        break;
      case 'message_delta':
        // The type promises both. Compatible servers omit one, or send each in a separate event.
        last = event.usage ? { ...event.usage, ...(last ?? {}), ...statedIn(event.usage) } : last;
        end = { ...end, ...statedIn(event.delta ?? {}), ...appliedEditsIn(event) };
        yield* usageEvents(mapAnthropicUsage(first, last));
        break;
      case 'message_stop':
        yield* blocks.end();
        yield* endMessage(end, answer, last && mapAnthropicUsage(first, last));
        return;
      default:
        break;
    }
  }
  // With its reason, the message is whole: only the event that says so is missing.
  if (typeof end.stop_reason !== 'string') throw streamCut();
  yield* blocks.end();
  yield* endMessage(end, answer, last && mapAnthropicUsage(first, last));
}

/** Without what says nothing: an earlier event may have said it. */
function statedIn<Fields extends object>(fields: Fields): Partial<Fields> {
  const stated = Object.entries(fields).filter(([, value]) => ![null, undefined, 0].includes(value));
  return Object.fromEntries(stated) as Partial<Fields>;
}

function* endMessage(end: MessageEnd, answer: AnswerState, usage: Usage | null): Generator<ProviderEvent> {
  yield* answer.finish({ reason: mapAnthropicStopReason(end.stop_reason), usage, ...endingOf(end) });
}

/** Compatible servers omit some of it. */
type MessageEnd = Partial<RawMessageDeltaEvent['delta']> & Pick<Ending, 'appliedEdits'>;

/** Of the beta "Context editing". */
const editsSchema = z.object({
  context_management: z.object({ applied_edits: endingSchema.shape.appliedEdits.unwrap() }),
});

function appliedEditsIn(event: object): Pick<Ending, 'appliedEdits'> {
  const { data } = editsSchema.safeParse(event);
  return data === undefined ? {} : { appliedEdits: data.context_management.applied_edits };
}

function* usageEvents(usage: Usage | null): Generator<ProviderEvent> {
  if (usage !== null) yield { type: 'usage', usage };
}

const KNOWN_REASONS: ReadonlySet<string> = new Set([
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'refusal',
]);

function endingOf({ stop_reason: reason, stop_sequence, stop_details, appliedEdits }: MessageEnd): Ending {
  const { explanation, category } = stop_details ?? {};
  return {
    ...(typeof stop_sequence === 'string' ? { stopSequence: stop_sequence } : {}),
    ...(reason !== 'refusal' || stop_details == null
      ? {}
      : {
          refusal: {
            ...(typeof explanation === 'string' ? { text: explanation } : {}),
            ...(typeof category === 'string' ? { category } : {}),
          },
        }),
    ...(typeof reason === 'string' && !KNOWN_REASONS.has(reason) ? { vendorReason: reason } : {}),
    ...(appliedEdits === undefined ? {} : { appliedEdits }),
  };
}

/** A reason that is not known is an end all the same. */
function mapAnthropicStopReason(stopReason: string | null | undefined): FinishReason {
  switch (stopReason) {
    case 'tool_use':
      return 'tool-calls';
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'refusal':
      return 'refusal';
    case 'pause_turn':
    case 'compaction':
      return 'pause';
    default:
      return isFilter(stopReason ?? '') ? 'content-filter' : 'stop';
  }
}
