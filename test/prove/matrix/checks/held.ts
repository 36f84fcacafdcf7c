/** What a reader holds after these events. Written apart from the product's own fold. */
import type { GenerationEvent } from '../../../../contracts/events.ts';
import type { GenerationEvidence } from '../evidence.ts';

export interface HeldCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface Held {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly HeldCall[];
}

/** All that voids text voids reasoning and calls as well. */
export function heldAfter(events: readonly GenerationEvent[]): Held {
  const from = events.findLastIndex(({ type }) => type === 'text-reset') + 1;
  let text = '';
  let reasoning = '';
  const calls = new Map<number, HeldCall>();
  for (const event of events.slice(from)) {
    if (event.type === 'text-delta') text += event.text;
    else if (event.type === 'reasoning-delta') reasoning += event.text;
    else if (event.type === 'tool-call-delta') {
      const { index, id, name } = event;
      calls.set(index, { id, name, arguments: (calls.get(index)?.arguments ?? '') + event.arguments });
    }
  }
  const inOrder = [...calls].sort(([a], [b]) => a - b).map(([, call]) => call);
  return { text, reasoning, calls: inOrder };
}

/** Whether these events say that the answer is all there. */
export function isWhole(events: readonly GenerationEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === 'generation-end' && last.finishReason !== 'length';
}

/** The log, and what each reader got. A log that was deleted is none. */
export function copiesOf({ accepted, log, readings }: GenerationEvidence) {
  return [
    ...readings.map(({ reader, wire, events }) => ({ who: `reader ${reader}`, wire, events })),
    ...(accepted.deletedAtMs === null ? [{ who: 'the log', wire: 'native' as const, events: log }] : []),
  ];
}
