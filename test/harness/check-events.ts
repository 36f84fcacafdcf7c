/** What must be true of the events that any reader got, whatever was killed meanwhile. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal, textOf } from '../../contracts/fold-events.ts';

/** The faults of a whole reading from seq 0; empty when it is right. */
export function faultsOf(events: readonly GenerationEvent[]): string[] {
  const faults: string[] = [];
  let expected = 0;
  for (const event of events) {
    const first = event.from ?? event.seq;
    if (first !== expected) faults.push(`seq ${expected} was expected, ${first} (${event.type}) came`);
    expected = event.seq + 1;
  }
  const terminals = events.filter(isTerminal);
  if (terminals.length !== 1) faults.push(`${terminals.length} terminal events`);
  const last = events.at(-1);
  if (last === undefined || !isTerminal(last)) faults.push(`the last event is ${last?.type ?? 'none'}`);
  return faults;
}

interface Difference {
  /** Tokens of the provider's text that the reader did not get. */
  readonly lost: number;
  /** Tokens that the reader got and the provider's text does not have there. */
  readonly duplicated: number;
}

/** Compares what a reader got with what the provider generated, in numbers (gaps and repeats) and in text. */
export function compareReading(events: readonly GenerationEvent[], expectedText: string): Difference {
  let gaps = 0;
  let repeats = 0;
  let next = 0;
  for (const event of events) {
    const first = event.from ?? event.seq;
    if (first > next) gaps += first - next;
    if (first < next) repeats += next - first;
    next = event.seq + 1;
  }
  const got = tokensOf(textOf(events));
  const wanted = tokensOf(expectedText);
  const common = commonLength(got, wanted);
  return { lost: gaps + wanted.length - common, duplicated: repeats + got.length - common };
}

function tokensOf(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** Length of the longest common subsequence. */
function commonLength(a: readonly string[], b: readonly string[]): number {
  if (a.length === b.length && a.every((token, index) => token === b[index])) return a.length;
  let previous = new Array<number>(b.length + 1).fill(0);
  for (const token of a) {
    const row = [0];
    for (let index = 0; index < b.length; index += 1) {
      row.push(
        token === b[index] ? (previous[index] ?? 0) + 1 : Math.max(previous[index + 1] ?? 0, row[index] ?? 0),
      );
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
