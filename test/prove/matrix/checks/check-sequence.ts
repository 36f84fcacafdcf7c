/** Every reader got every number once, in order, and one terminal event, last; one of a deleted log may end before. */
import type { GenerationEvent } from '../../../../contracts/events.ts';
import type { Reading } from '../notebook.ts';
import { type Finding, finding } from './finding.ts';

export const TERMINAL = new Set(['generation-end', 'generation-error', 'generation-cancel']);

export function checkSequence(
  { reader, generationId, events, refused }: Reading,
  { isDeleted }: { readonly isDeleted: boolean } = { isDeleted: false },
): Finding[] {
  const found: Finding[] = [];
  const wrong = (kind: 'lost' | 'duplicated', what: string) =>
    found.push(finding(kind, generationId, `reader ${reader}: ${what}`));
  if (refused !== null && !isDeleted) wrong('lost', `was refused: ${refused}`);
  checkNumbers(events, wrong);
  const ends = events.flatMap(({ type }, index) => (TERMINAL.has(type) ? [index] : []));
  if (ends.length > 1) wrong('duplicated', `${ends.length} terminal events`);
  if (ends.length === 0 && isDeleted && refused !== null) return found;
  if (ends.length === 0) wrong('lost', `no terminal event after ${events.at(-1)?.type ?? 'nothing'}`);
  else if (ends[0] !== events.length - 1) wrong('duplicated', `an event after the terminal one`);
  return found;
}

function checkNumbers(
  events: readonly GenerationEvent[],
  wrong: (kind: 'lost' | 'duplicated', what: string) => void,
): void {
  let next = 0;
  for (const { seq, from = seq } of events) {
    if (from > next) wrong('lost', `${next} to ${from - 1} never came`);
    if (from < next) wrong('duplicated', `${from} came again, ${next} was due`);
    next = seq + 1;
  }
}
