/** Folds events into the finished text of a generation. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { GenerationFailedError } from './errors.ts';

/**
 * The finished text of a generation: its deltas joined, without voided text. If the model declined and wrote nothing
 * else, the words of its refusal; `finishReason` of `generation-end` distinguishes them. Throws GenerationFailedError,
 * which has the partial text, when the generation failed or was cancelled, or when the events stop before the end.
 */
export async function textOf(
  events: AsyncIterable<GenerationEvent> | Iterable<GenerationEvent>,
): Promise<string> {
  let text = '';
  for await (const event of events) {
    if (event.type === 'text-delta') text += event.text;
    else if (event.type === 'text-reset') text = '';
    else if (event.type === 'generation-error') throw new GenerationFailedError(event.error, text);
    else if (event.type === 'generation-cancel')
      throw failed('cancelled', 'the generation was cancelled', text);
    else if (event.type === 'generation-end') return text === '' ? (event.refusal?.text ?? '') : text;
  }
  throw failed('internal', 'the events stop before the end of the generation', text);
}

function failed(code: string, message: string, text: string): GenerationFailedError {
  return new GenerationFailedError({ code, message, doc: `/docs/errors/${code}` }, text);
}
