/**
 * Reads a provider's server-sent events. The readers of the vendors' SDKs search each byte twice and race each read
 * with its abort; this one costs a fraction, and the connection itself is aborted.
 */
import { createParser } from 'eventsource-parser';
import type { UnbrokenError } from '../../contracts/errors.ts';
import { statusOfErrorBody } from '../vendor-errors/vendor-error.ts';
import { malformed } from './answer-state.ts';

interface ServerEvent {
  readonly event: string | undefined;
  readonly data: string;
}

/** The longest answer that is taken whole, and the longest event, in characters. */
export const MOST_WHOLE_CHARS = 16 * 1024 * 1024;
/** No line of a stream of server-sent events begins with these. */
const OF_JSON = /^[{[]/;

/**
 * Some servers answer whole, as JSON, although a stream was requested: that is one event. An error in JSON is none, as
 * its mapping needs the status of its answer.
 */
export async function* readServerEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  let events: ServerEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      // Sent to keep the connection open.
      if (/\S/.test(data)) events.push({ event, data });
    },
    maxBufferSize: MOST_WHOLE_CHARS,
    onError: ({ type, field, value, line = '' }) => {
      if (type === 'max-buffer-size-exceeded') throw tooLong('an event');
      if (field === 'error') events.push({ event: 'error', data: value ?? '' });
      else if (isError(line)) events.push({ event: 'error', data: line });
    },
  });
  const decoder = new TextDecoder();
  const whole = new WholeText();
  for await (const bytes of body) {
    const text = decoder.decode(bytes, { stream: true });
    if (whole.take(text)) continue;
    const lastLine = text.lastIndexOf('\n') + 1;
    const error = text.charAt(lastLine) === '{' && isError(text.slice(lastLine));
    parser.feed(whole.release() + (error ? text.slice(0, lastLine) : text));
    if (error) events.push({ event: 'error', data: text.slice(lastLine) });
    if (events.length === 0) continue;
    const complete = events;
    events = [];
    for (const event of complete) yield event;
  }
  if (whole.isJson) {
    const data = whole.release() + decoder.decode();
    if (statusOfErrorBody(data) === null) yield { event: undefined, data };
    return;
  }
  // Some servers leave out the blank line behind the last event.
  parser.feed(`${whole.release()}${decoder.decode()}\n\n`);
  for (const event of events) yield event;
}

export function tooLong(what: string): UnbrokenError {
  return malformed(`${what} of more than ${MOST_WHOLE_CHARS} characters`);
}

/** Some servers break off with an error that is no event (Gemini), or of which they make a field (llama.cpp). */
function isError(text: string): boolean {
  return text.startsWith('{') && statusOfErrorBody(text) !== null;
}

/** Holds the text of a body that is JSON, and the blanks before its first character. */
class WholeText {
  #kind: 'unknown' | 'json' | 'stream' = 'unknown';
  #held: string[] = [];
  #chars = 0;

  get isJson(): boolean {
    return this.#kind === 'json';
  }

  /** @returns whether it has kept the text. */
  take(text: string): boolean {
    if (this.#kind === 'stream') return false;
    const start = text.trimStart();
    if (this.#kind === 'unknown' && start !== '') this.#kind = OF_JSON.test(start) ? 'json' : 'stream';
    if (this.#chars > MOST_WHOLE_CHARS) throw tooLong('a whole answer');
    // `stream` takes this text itself.
    if (this.#kind === 'stream') return false;
    this.#held.push(text);
    this.#chars += text.length;
    return true;
  }

  release(): string {
    if (this.#held.length === 0) return '';
    const held = this.#held.join('');
    this.#held = [];
    return held;
  }
}

/** Servers that put a prefix on what their framework prefixes, too. */
const PREFIX = /^data:\s*/;

/**
 * The values in the data of an event: one, or one of each line if a server sends no blank lines between its events.
 * The error does not quote them: they may have the answer. @throws SyntaxError
 */
export function parseEventData(data: string): readonly unknown[] {
  try {
    return [JSON.parse(data)];
  } catch {
    const lines = data.split('\n').map((line) => line.replace(PREFIX, ''));
    return lines.filter((line) => !isDone(line) && !isSignOfLife(line)).map(parseLine);
  }
}

/** Gateways wrap the comments of the vendor behind them as data, or send a word to keep the connection open. */
function isSignOfLife(line: string): boolean {
  return /^\s*(?::|$|\[?(?:ping|keep-?alive|heartbeat)\]?\s*$)/i.test(line);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new SyntaxError('The data of an event is not JSON.');
  }
}

/** What servers of OpenAI's formats send last. */
export function isDone(data: string): boolean {
  return /^\s*\[DONE\]/.test(data);
}

/** An event by which a server shows that it lives, whatever its data. */
export function isPing(event: string | undefined): boolean {
  return event !== undefined && /^(?:ping|keep-?alive|heartbeat)$/i.test(event);
}

/** Some servers send the type of an event only as its name. */
export function withType(value: unknown, event: string | undefined): unknown {
  if (event === undefined || typeof value !== 'object' || value === null || 'type' in value) return value;
  return { ...value, type: event };
}
