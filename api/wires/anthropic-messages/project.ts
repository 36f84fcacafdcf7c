/**
 * The log -> the events of Anthropic's messages stream. Pure. Source: the types of the official client,
 * RawMessageStreamEvent.
 */
import type {
  ContentBlock,
  Message,
  MessageDeltaUsage,
  RawMessageStreamEvent,
  StopReason,
} from '@anthropic-ai/sdk/resources/messages/messages';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { NO_USAGE, type Usage } from '../../../contracts/money.ts';
import { type Answer, tokensOf } from '../answer.ts';
import { idIn, type Projection } from '../wire.ts';

type Frame = RawMessageStreamEvent;

export function projectMessage(asked: string): Projection<Frame> {
  let id = '';
  let model = asked;
  let hasBegun = false;
  /** The block that is open: blocks of this format follow each other. */
  let open: { readonly key: string; readonly index: number } | null = null;
  let blocks = 0;
  const closed = new Set<string>();

  const begin = (): Frame[] => {
    if (hasBegun) return [];
    hasBegun = true;
    return [{ type: 'message_start', message: messageOf({ id, model, content: [], usage: NO_USAGE }) }];
  };
  const close = (): Frame[] => {
    const stop: Frame[] = open === null ? [] : [{ type: 'content_block_stop', index: open.index }];
    if (open !== null) closed.add(open.key);
    open = null;
    return stop;
  };
  /** Frames up to the open block of this key, and its index. */
  const blockFor = (key: string, block: () => ContentBlockStart): readonly [number, Frame[]] => {
    if (open?.key === key) return [open.index, []];
    if (key.startsWith('call') && closed.has(key)) {
      // Blocks follow each other here; no vendor goes back to a call that it has ended.
      throw new UnbrokenError('provider_malformed', 'The pieces of two tool calls came mixed.');
    }
    const before = [...begin(), ...close()];
    const index = blocks;
    blocks += 1;
    open = { key, index };
    return [index, [...before, { type: 'content_block_start', index, content_block: block() }]];
  };

  return {
    push: (event: GenerationEvent) => {
      switch (event.type) {
        case 'generation-start':
          id = idIn('msg_', event.generationId);
          return [];
        case 'provider-start':
        case 'cache-hit':
          model = `${event.provider}/${event.model}`;
          return [];
        case 'text-delta': {
          const [index, before] = blockFor('text', () => ({ type: 'text', text: '', citations: null }));
          return [...before, deltaOf(index, { type: 'text_delta', text: event.text })];
        }
        case 'reasoning-delta': {
          const empty = { type: 'thinking', thinking: '', signature: '' } as const;
          const [index, before] = blockFor('thinking', () => empty);
          return [...before, deltaOf(index, { type: 'thinking_delta', thinking: event.text })];
        }
        case 'tool-call-delta': {
          const { id: callId, name } = event;
          const [index, before] = blockFor(`call ${event.index}`, () => toolUse(callId, name, {}));
          if (event.arguments === '') return before;
          return [...before, deltaOf(index, { type: 'input_json_delta', partial_json: event.arguments })];
        }
        case 'generation-end':
          return [
            ...begin(),
            ...close(),
            {
              type: 'message_delta',
              delta: {
                stop_reason: stopReasonOf(event.finishReason),
                stop_sequence: null,
                stop_details: null,
                container: null,
              },
              usage: deltaUsageOf(event.usage),
            },
            { type: 'message_stop' },
          ];
        default:
          return [];
      }
    },
  };
}

type ContentBlockStart = Extract<Frame, { type: 'content_block_start' }>['content_block'];
type BlockDelta = Extract<Frame, { type: 'content_block_delta' }>['delta'];

function deltaOf(index: number, delta: BlockDelta): Frame {
  return { type: 'content_block_delta', index, delta };
}

function toolUse(id: string, name: string, input: unknown) {
  return { type: 'tool_use' as const, id, name, input, caller: { type: 'direct' as const } };
}

/** The whole answer, where no stream was asked for. */
export function wholeMessage(asked: string, answer: Answer): Message {
  const { generationId, text, reasoning, toolCalls, end } = answer;
  const content: ContentBlock[] = [
    ...(reasoning === '' ? [] : [{ type: 'thinking' as const, thinking: reasoning, signature: '' }]),
    ...(text === '' ? [] : [{ type: 'text' as const, text, citations: null }]),
    ...toolCalls.map(({ id, name, arguments: written }) => toolUse(id, name, parsedInput(written))),
  ];
  const message = messageOf({
    id: idIn('msg_', generationId),
    model: answer.model ?? asked,
    content,
    usage: end?.usage ?? NO_USAGE,
  });
  const finish = end?.type === 'generation-end' ? end.finishReason : 'stop';
  return { ...message, stop_reason: stopReasonOf(finish) };
}

/** The format holds an object where the model wrote JSON; what is no JSON is given as it was written. */
function parsedInput(written: string): unknown {
  try {
    return JSON.parse(written === '' ? '{}' : written);
  } catch {
    return { arguments: written };
  }
}

function messageOf({
  id,
  model,
  content,
  usage,
}: Pick<Message, 'id' | 'model' | 'content'> & { usage: Usage }): Message {
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: {
      ...usageCountsOf(usage),
      cache_creation: null,
      inference_geo: null,
      service_tier: null,
      speed: null,
    },
  };
}

function deltaUsageOf(usage: Usage): MessageDeltaUsage {
  return usageCountsOf(usage);
}

/** As the API of origin counts: what came from its cache is not part of `input_tokens`. */
function usageCountsOf(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    cache_read_input_tokens: usage.cachedInputTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    output_tokens: tokensOf(usage).output,
    output_tokens_details: { thinking_tokens: usage.reasoningTokens },
    server_tool_use: null,
  };
}

function stopReasonOf(reason: FinishReason): StopReason {
  if (reason === 'tool-calls') return 'tool_use';
  return reason === 'length' ? 'max_tokens' : 'end_turn';
}
