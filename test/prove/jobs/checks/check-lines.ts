/** Each line of a batch is in its files exactly once, with the whole answer of the provider. */
import { type Fault, fault } from './fault.ts';

/** A line as the official client read it from the files of a batch. */
export interface ReadLine {
  readonly customId: string;
  readonly kind: 'completed' | 'failed';
  /** Of its generation; null where the format does not show it. */
  readonly generationId: string | null;
  readonly text: string;
  /** The code of its error; '' where it was completed. */
  readonly code: string;
}

interface ExpectedLine {
  readonly customId: string;
  readonly isRefused: boolean;
  /** Its batch was cancelled: it may never have been sent. */
  readonly isCancelled: boolean;
  /** All that the provider answers. */
  readonly text: string;
}

/** Ends that no kill of a process can be the cause of. */
const UNSENT = /^batch_cancelled$/;
const NEVER = /internal|log_tail_lost|input_lost/;

export function checkLines(expected: readonly ExpectedLine[], lines: readonly ReadLine[]): Fault[] {
  const byId = Map.groupBy(lines, ({ customId }) => customId);
  const known = new Set(expected.map(({ customId }) => customId));
  const strange = [...byId.keys()].filter((customId) => !known.has(customId));
  return [
    ...expected.flatMap((line) => checkLine(line, byId.get(line.customId) ?? [])),
    ...strange.map((customId) => fault('twice', customId, 'no line has this custom_id')),
  ];
}

function checkLine(
  { customId, isRefused, isCancelled, text }: ExpectedLine,
  read: readonly ReadLine[],
): Fault[] {
  const [line, ...others] = read;
  if (line === undefined) return [fault('lost', customId, 'it is in none of the files')];
  if (others.length > 0) return [fault('twice', customId, `it is in the files ${read.length} times`)];
  if (line.kind === 'failed') {
    if (UNSENT.test(line.code) ? isCancelled : isRefused || !NEVER.test(line.code)) return [];
    return [fault('unexplained', customId, `it failed with ${line.code}`)];
  }
  if (isRefused) return [fault('garbled', customId, 'its model does not exist, and it has an answer')];
  return line.text === text
    ? []
    : [fault('garbled', customId, `${line.text.slice(0, 80)} ... is not ${text.slice(0, 80)} ...`)];
}
