/**
 * Cuts the body of a message batch, `{"requests": [{...}, ...]}`, into its requests as it arrives: each becomes a line
 * of JSON, and no more than one of them is held. The rest of the body is small, and is parsed as a whole.
 */
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const COMMA = 0x2c;
const SPACE = 0x20;
const NEWLINE = Buffer.from('\n');
/** Of the body without its requests. */
const FRAME_BYTES = 64 * 1024;
const REQUESTS = /^\s*"requests"\s*:\s*$/;

interface SplitBody {
  /** A line for each request. */
  readonly lines: AsyncIterable<Uint8Array>;
  /** The body without its requests, once the lines are read. @throws invalid_json */
  rest(): Record<string, unknown>;
}

/** @param atMostBytes of one request. */
export function splitRequests(body: AsyncIterable<Uint8Array>, atMostBytes: number): SplitBody {
  const splitter = new RequestSplitter(atMostBytes);
  const lines = (async function* () {
    for await (const chunk of body) yield* splitter.push(chunk);
    splitter.end();
  })();
  return { lines, rest: () => splitter.rest() };
}

class RequestSplitter {
  readonly #atMostBytes: number;
  /** The body with an empty list in place of its requests. */
  readonly #frame: number[] = [];
  #parts: Buffer[] = [];
  #bytes = 0;
  #depth = 0;
  #isInString = false;
  #isEscaped = false;
  /** Whether the list of the requests is open, and whether it was. */
  #isInRequests = false;
  #hasRequests = false;
  #number = 0;

  constructor(atMostBytes: number) {
    this.#atMostBytes = atMostBytes;
  }

  *push(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      const wasIn = this.#isInRequests;
      const isOpened = this.#read(byte);
      if (!wasIn) {
        this.#keepFrame(byte);
        if (isOpened) start = at + 1;
        continue;
      }
      const isEnd = !this.#isInRequests || (this.#depth === 2 && byte === COMMA && !this.#isInString);
      if (!isEnd) continue;
      this.#add(chunk.subarray(start, at));
      yield* this.#take(this.#isInRequests);
      start = at + 1;
      if (!this.#isInRequests) this.#keepFrame(byte);
    }
    if (this.#isInRequests) this.#add(chunk.subarray(start));
  }

  end(): void {
    if (this.#depth !== 0 || this.#isInString) throw notJson();
  }

  rest(): Record<string, unknown> {
    if (!this.#hasRequests) {
      throw new UnbrokenError('invalid_request', 'requests: expected a list of requests.', {
        details: { param: 'requests' },
      });
    }
    try {
      return JSON.parse(Buffer.from(this.#frame).toString()) as Record<string, unknown>;
    } catch (error) {
      throw notJson(error);
    }
  }

  /** @returns whether the list of requests begins behind this byte. */
  #read(byte: number): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) this.#isInString = false;
      return false;
    }
    if (byte === QUOTE) this.#isInString = true;
    else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) return this.#open(byte);
    else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) {
      this.#depth -= 1;
      if (this.#depth < 0) throw notJson();
      if (this.#depth === 1) this.#isInRequests = false;
    }
    return false;
  }

  #open(byte: number): boolean {
    this.#depth += 1;
    if (this.#depth > LIMITS.jsonDepth) {
      throw new UnbrokenError(
        'invalid_request',
        `The body is nested deeper than ${LIMITS.jsonDepth} levels.`,
      );
    }
    const isList = byte === OPENING_BRACKET && this.#depth === 2 && !this.#hasRequests;
    if (!isList || !REQUESTS.test(this.#lastName())) return false;
    this.#isInRequests = true;
    this.#hasRequests = true;
    return true;
  }

  /** What stands in the body since the last field, without the byte that is read now. */
  #lastName(): string {
    const frame = Buffer.from(this.#frame).toString();
    return frame.slice(Math.max(frame.lastIndexOf(','), frame.indexOf('{')) + 1);
  }

  #keepFrame(byte: number): void {
    this.#frame.push(byte);
    if (this.#frame.length <= FRAME_BYTES) return;
    throw new UnbrokenError(
      'body_too_large',
      `The body beside its requests has more than ${FRAME_BYTES} bytes.`,
    );
  }

  #add(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#atMostBytes) {
      throw new UnbrokenError(
        'body_too_large',
        `requests.${this.#number}: it has more than ${this.#atMostBytes} bytes; the setting is http.bodyBytes.`,
      );
    }
    if (part.byteLength > 0) this.#parts.push(Buffer.from(part));
  }

  /** @param hasNext whether another request follows: then this one may not be empty. */
  *#take(hasNext: boolean): Generator<Uint8Array> {
    const line = Buffer.concat(this.#parts);
    // A newline inside a text is an escape; any other is white space.
    for (const [index, byte] of line.entries()) if (byte === 0x0a || byte === 0x0d) line[index] = SPACE;
    this.#parts = [];
    this.#bytes = 0;
    const isEmpty = line.every((byte) => byte === SPACE || byte === 0x09);
    if (isEmpty && (hasNext || this.#number > 0)) throw notJson();
    if (isEmpty) return;
    this.#number += 1;
    yield Buffer.concat([line, NEWLINE]);
  }
}

function notJson(cause?: unknown): UnbrokenError {
  return new UnbrokenError('invalid_json', 'The body is not valid JSON.', { cause });
}
