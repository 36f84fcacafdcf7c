/** What a reader got, one JSON event a line, in a file that outlives its process. */
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { isTerminal } from '../../../contracts/fold-events.ts';

export interface Following {
  /** Unlike any other reader's. */
  readonly reader: string;
  readonly generationId: string;
  /** `native` is ours, on SSE and WebSockets in turn. */
  readonly wire: 'native' | 'responses';
  readonly key: string;
  readonly apis: readonly string[];
  readonly seed: number;
}

export interface Notebook {
  readonly events: readonly GenerationEvent[];
  add(event: GenerationEvent): void;
  /** Something that may not be said to a reader; ends the reading. */
  refuse(why: string): void;
}

/** A whole reading, as it is judged. */
export interface Reading {
  readonly reader: string;
  readonly generationId: string;
  readonly wire: Following['wire'];
  readonly events: readonly GenerationEvent[];
  /** What the API refused it with for good; null as it should be. */
  readonly refused: string | null;
}

export function openNotebook(folder: string, following: Following): Notebook {
  const path = join(folder, following.reader);
  if (!existsSync(`${path}.order`)) writeFileSync(`${path}.order`, JSON.stringify(following));
  const file = `${path}.events`;
  if (!existsSync(file)) writeFileSync(file, '');
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // A line that the killed process had not finished was not taken.
  if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
  const events = linesOf(whole);
  return {
    events,
    add(event) {
      appendFileSync(file, `${JSON.stringify(event)}\n`);
      events.push(event);
    },
    refuse: (why) => writeFileSync(`${path}.refused`, why),
  };
}

/** Orders that a process before this one has taken. */
export function resumed(folder: string): Following[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.order'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Following);
}

export function readNotebooks(folder: string): Reading[] {
  if (!existsSync(folder)) return [];
  return resumed(folder).map(({ reader, generationId, wire }) => {
    const path = join(folder, reader);
    const refused = existsSync(`${path}.refused`) ? readFileSync(`${path}.refused`, 'utf8') : null;
    const text = existsSync(`${path}.events`) ? readFileSync(`${path}.events`, 'utf8') : '';
    const events = linesOf(text.slice(0, text.lastIndexOf('\n') + 1));
    return { reader, generationId, wire, events, refused };
  });
}

/** Whether this reader has the end of what it follows, in whichever of the folders it writes. */
export function hasEnded(folders: readonly string[], reader: string): boolean {
  return folders.some((folder) => {
    const file = join(folder, `${reader}.events`);
    if (!existsSync(file)) return false;
    const text = readFileSync(file, 'utf8');
    return linesOf(text.slice(0, text.lastIndexOf('\n') + 1)).some(isTerminal);
  });
}

function linesOf(text: string): GenerationEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as GenerationEvent);
}
