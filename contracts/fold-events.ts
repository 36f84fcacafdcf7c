/**
 * What follows from a row of events. Apart from events.ts, whose schemas bring a library: browsers and the edge load
 * this file.
 */
import type { EventBody, EventType } from './events.ts';

const TERMINAL: ReadonlySet<EventType> = new Set(['generation-end', 'generation-error', 'generation-cancel']);

export function isTerminal(event: { readonly type: EventType }): boolean {
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
