/** Every reader holds the provider's text: all of it where the answer is whole, a beginning of it where it is not. */
import type { GenerationEvidence } from '../evidence.ts';
import { type Finding, finding } from './finding.ts';
import { copiesOf, heldAfter, isWhole } from './held.ts';

export function checkText(generation: GenerationEvidence): Finding[] {
  const { accepted, expected } = generation;
  return copiesOf(generation).flatMap(({ who, events }) => {
    const { text } = heldAfter(events);
    const wrong = compare(text, expected.text, isWhole(events));
    return wrong === null ? [] : [finding(wrong, accepted.id, `${who}: ${difference(text, expected.text)}`)];
  });
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
