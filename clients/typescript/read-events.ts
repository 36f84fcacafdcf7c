/** Opens one connection to an event stream, parses it, and ends it when it is silent for too long. */
import { createParser } from 'eventsource-parser';
import { ERRORS, isErrorCode } from '../../contracts/errors.ts';
import { LONGEST_TIMER_MS } from './backoff.ts';
import { ClientError, errorBodyOf, errorFromResponse, UnusableOptionError } from './errors.ts';

/** No event of ours is longer; a longer one is an error. */
const LONGEST_EVENT_CHARS = 16 * 1024 * 1024;

export interface EventStreamOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal | undefined;
  /** Called before every wait. @returns how long the connection may be silent, in ms. */
  readonly silenceMs: () => number;
  /** Called for all bytes that arrive, heartbeats too. */
  readonly onBytes: () => void;
  readonly onComment?: ((text: string) => void) | undefined;
}

/**
 * Yields the `data` of every complete SSE event. An event that is cut off before its blank line is dropped: the next
 * connection delivers it whole. Ends when the server closes cleanly. Throws what `fetch` throws on a disconnect, a
 * TimeoutError on silence, ClientError on an error status.
 */
export async function* readEvents(options: EventStreamOptions): AsyncGenerator<string, void, undefined> {
  const connection = new AbortController();
  const signal =
    options.signal === undefined ? connection.signal : AbortSignal.any([options.signal, connection.signal]);
  const unlessSilent = async <Value>(pending: Promise<Value>): Promise<Value> => {
    const limitMs = Math.min(options.silenceMs(), LONGEST_TIMER_MS);
    const silence = () =>
      connection.abort(new DOMException(`the connection was silent for ${limitMs} ms`, 'TimeoutError'));
    const timer = setTimeout(silence, limitMs);
    try {
      return await pending;
    } finally {
      clearTimeout(timer);
    }
  };
  try {
    const response = await unlessSilent(
      options.fetch(options.url, { headers: options.headers, signal, cache: 'no-store' }),
    );
    if (!response.ok) throw await unlessSilent(errorFromResponse(response));
    const type = response.headers.get('content-type') ?? 'none';
    if (!type.startsWith('text/event-stream')) throw new TypeError(`expected text/event-stream, got ${type}`);
    // Undefined in React Native, against the type.
    if (!response.body) {
      const fix = 'pass one that can as the option fetch (in React Native: that of expo/fetch)';
      throw new UnusableOptionError(`this fetch cannot stream: its response has no body; ${fix}`);
    }
    const reader = response.body.getReader();
    const complete: string[] = [];
    const failures: Error[] = [];
    const parser = createParser({
      maxBufferSize: LONGEST_EVENT_CHARS,
      onEvent: (event) => {
        if (event.event === 'error') failures.push(inBandError(event.data));
        else if (failures.length === 0) complete.push(event.data);
      },
      ...(options.onComment === undefined ? {} : { onComment: options.onComment }),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') failures.push(error);
      },
    });
    // One decoder for the whole connection: two chunks may split a character.
    const decoder = new TextDecoder();
    for (;;) {
      const chunk = await unlessSilent(reader.read());
      if (chunk.done) return;
      options.onBytes();
      parser.feed(decoder.decode(chunk.value, { stream: true }));
      yield* complete.splice(0);
      if (failures[0] !== undefined) throw failures[0];
    }
  } finally {
    connection.abort();
  }
}

/** An error after the headers arrives as an event; its status is that of its code in the error table. */
function inBandError(data: string): ClientError {
  const body = errorBodyOf(data) ?? { code: 'internal', message: data.slice(0, 200) };
  return new ClientError(isErrorCode(body.code) ? ERRORS[body.code].status : 500, body);
}
