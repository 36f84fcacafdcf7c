/** Every reader holds the provider's text: all of it where the answer is whole, a beginning of it where it is not. */
import type { GenerationEvent } from '../../../../contracts/events.ts';
import type { GenerationEvidence } from '../evidence.ts';
import { type Finding, finding } from './finding.ts';

export function checkText({ accepted, log, readings, expected }: GenerationEvidence): Finding[] {
  const found: Finding[] = [];
  const held = [
    ...readings.map(({ reader, events }) => ({ who: `reader ${reader}`, events })),
    { who: 'the log', events: log },
  ];
  for (const { who, events } of held) {
    const text = heldText(events);
    const wrong = compare(text, expected.text, isWhole(events));
    if (wrong !== null) found.push(finding(wrong, accepted.id, `${who}: ${difference(text, expected.text)}`));
  }
  return found;
}

/** What a reader holds after all that was voided. */
function heldText(events: readonly GenerationEvent[]): string {
  let text = '';
  for (const event of events) {
    if (event.type === 'text-reset') text = '';
    else if (event.type === 'text-delta') text += event.text;
  }
  return text;
}

function isWhole(events: readonly GenerationEvent[]): boolean {
  const last = events.at(-1);
  return last?.type === 'generation-end' && last.finishReason === 'stop';
}

function compare(text: string, expected: string, mustBeWhole: boolean): 'lost' | 'duplicated' | null {
  if (text === expected) return null;
  if (expected.startsWith(text)) return mustBeWhole ? 'lost' : null;
  // Text that the provider did not say there: some is missing in the middle, or some is there twice.
  return text.length < expected.length && mustBeWhole ? 'lost' : 'duplicated';
}

function difference(text: string, expected: string): string {
  let at = 0;
  while (at < text.length && text[at] === expected[at]) at += 1;
  const near = (of: string) => JSON.stringify(of.slice(Math.max(0, at - 20), at + 20));
  return `${text.length} characters of ${expected.length}; at ${at}: ${near(text)}, expected ${near(expected)}`;
}
