/** Cuts a stream of bytes into its lines, and holds no more than one of them. */

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

export interface Line {
  /** Without its newline. */
  readonly bytes: Uint8Array;
  /** From 1; blank lines count, too. */
  readonly number: number;
  /** Where it begins. */
  readonly from: number;
}

export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
  /** From 1. */
  readonly line: number;

  constructor(line: number) {
    super(`Line ${line} is too long.`);
    this.line = line;
  }
}

/** Every line that is not blank. @throws LineTooLong */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  atMostBytes: number,
): AsyncGenerator<Line> {
  const cutter = new LineCutter(atMostBytes);
  for await (const chunk of chunks) yield* cutter.push(chunk);
  yield* cutter.end();
}

class LineCutter {
  readonly #atMostBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #from = 0;
  #number = 1;

  constructor(atMostBytes: number) {
    this.#atMostBytes = atMostBytes;
  }

  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#add(chunk.subarray(start, end));
      yield* this.#take(1);
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
  }

  *end(): Generator<Line> {
    yield* this.#take(0);
  }

  #add(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#atMostBytes) throw new LineTooLong(this.#number);
    // A stream may use its buffer again once the next chunk is asked for.
    if (part.byteLength > 0) this.#parts.push(Uint8Array.from(part));
  }

  *#take(newlineBytes: number): Generator<Line> {
    const [only] = this.#parts;
    const whole = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts);
    const marked = this.#from === 0 && BYTE_ORDER_MARK.every((byte, index) => whole[index] === byte);
    const bytes = marked ? whole.subarray(BYTE_ORDER_MARK.length) : whole;
    const from = this.#from + (marked ? BYTE_ORDER_MARK.length : 0);
    const number = this.#number;
    this.#from += this.#bytes + newlineBytes;
    this.#number += 1;
    this.#parts = [];
    this.#bytes = 0;
    if (!isBlank(bytes)) yield { bytes, number, from };
  }
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
