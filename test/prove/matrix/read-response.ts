/**
 * A reader on OpenAI's wire: the Responses stream of a generation, resumed by `starting_after`. Its frames are
 * translated to our events, under their own numbers, so that the same checks judge them. The finished response comes
 * with its end.
 */
import { createParser } from 'eventsource-parser';
import type { GenerationEvent } from '../../../contracts/events.ts';

interface Frame {
  readonly type: string;
  readonly sequence_number: number;
  readonly delta?: string;
  readonly response?: { readonly output?: readonly unknown[] };
  readonly item?: { readonly type: string; readonly status?: string; readonly content?: readonly unknown[] };
}

/** Frames as they come; ends with the response of the API. */
export async function* framesOf(response: Response): AsyncGenerator<GenerationEvent> {
  const ready: GenerationEvent[] = [];
  const parser = createParser({
    onEvent: ({ data }) => {
      ready.push(inOurWords(JSON.parse(data) as Frame));
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    yield* ready.splice(0);
  }
}

/** What is neither text, nor voids it, nor ends the answer, counts as progress. */
function inOurWords(frame: Frame): GenerationEvent {
  return { ...bodyOf(frame), seq: frame.sequence_number, at: 0 } as GenerationEvent;
}

function bodyOf({ type, delta, item, response }: Frame): object {
  switch (type) {
    case 'response.output_text.delta':
      return { type: 'text-delta', text: delta ?? '' };
    case 'response.output_item.done': {
      const isVoided = item?.type === 'message' && item.status === 'incomplete' && item.content?.length === 0;
      return isVoided ? { type: 'text-reset' } : { type: 'usage-update' };
    }
    case 'response.completed':
      return { type: 'generation-end', finishReason: 'stop', output: response?.output };
    case 'response.incomplete':
      return { type: 'generation-end', finishReason: 'length' };
    case 'response.failed':
      return { type: 'generation-error' };
    case 'error':
      throw new Error('an error event ended the stream');
    default:
      return { type: 'usage-update' };
  }
}
