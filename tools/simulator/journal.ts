/**
 * The vendor's bill on disk: what was asked for and how much was made, so that it can be read after the process was
 * killed. One JSON object a line; a later line of the same id counts.
 */
import { openSync, writeSync } from 'node:fs';

export interface JournalLine {
  readonly id: string;
  readonly wire: string;
  readonly apiKey: string;
  /** All that was said, as text. */
  readonly prompt: string;
  readonly inputTokens: number;
  /** Tokens made so far. */
  readonly made: number;
}

export type Journal = (line: JournalLine) => void;

/** Every line is with the kernel before this returns: the death of the process loses none. */
export function openJournal(path: string): Journal {
  const file = openSync(path, 'a');
  return (line) => {
    writeSync(file, `${JSON.stringify(line)}\n`);
  };
}
