/**
 * Folds over events. Not in events.ts, whose schemas bring a library: browsers and the edge load this file.
 */
import type { EventBody, EventType } from './events.ts';

type TerminalType = 'generation-end' | 'generation-error' | 'generation-cancel';

const TERMINAL: ReadonlySet<EventType> = new Set<TerminalType>([
  'generation-end',
  'generation-error',
  'generation-cancel',
]);

/** A message that follows other text in an answer begins with it, because most formats show both as one text. */
export const MESSAGE_SEPARATOR = '\n\n';

/** Whether a log ends with this event. */
export function isTerminal<Event extends { readonly type: EventType }>(
  event: Event,
): event is Event & { readonly type: TerminalType } {
  return TERMINAL.has(event.type);
}

/** The text that a reader holds after these events: deltas joined, voided text dropped. */
export function textOf(events: Iterable<EventBody>): string {
  let text = '';
  for (const event of events) {
    if (event.type === 'text-delta') text += event.text;
    else if (event.type === 'text-reset') text = '';
  }
  return text;
}

/**
 * A whole text as the deltas that `textOf` joins again.
 * @param chars the most that one delta holds. Counted in code points, so that no surrogate pair is split.
 */
export function textDeltas(text: string, chars: number): EventBody[] {
  const parts = text.match(new RegExp(`[^]{1,${chars}}`, 'gu')) ?? [];
  return parts.map((part) => ({ type: 'text-delta', text: part }));
}
