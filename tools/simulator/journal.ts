/**
 * The vendor's bill on disk: the prompt of each call and how many tokens were generated for it. It can be read after
 * the process was killed. One JSON object per line; the last line of an id counts.
 */
import { openSync, writeSync } from 'node:fs';

export interface JournalLine {
  readonly id: string;
  readonly wire: string;
  readonly apiKey: string;
  /** The whole conversation, as text. */
  readonly prompt: string;
  readonly inputTokens: number;
  /** Tokens generated so far. */
  readonly made: number;
}

export type Journal = (line: JournalLine) => void;

/** Each line reaches the kernel before the call returns, so the death of the process loses none. */
export function openJournal(path: string): Journal {
  const file = openSync(path, 'a');
  return (line) => {
    writeSync(file, `${JSON.stringify(line)}\n`);
  };
}
