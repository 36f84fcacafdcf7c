/**
 * The one tokenizer of this project. The encoder's time grows with the square of the length of an unbroken run of
 * letters, signs or white space: 100,000 Han characters take over a minute. So such a run is cut before the encoder
 * sees it. A cut splits at most one token; measured over two dozen alphabets, the count is at most 1 % too high.
 */
import { countTokens as encodedTokens, setMergeCacheSize } from 'gpt-tokenizer/encoding/o200k_base';
import { LIMITS } from './limits.ts';
import { utf8BytesOf } from './utf8.ts';

/** How many tokens each text has, in the order of the texts. */
export type CountTexts = (texts: readonly string[]) => Promise<readonly number[]>;

/** UTF-8 bytes of an unbroken run that the encoder gets at once: this bounds its work per byte. */
const RUN_BYTES = 512;
/** UTF-16 units of ordinary text that are counted before the event loop gets a turn: some 5 ms. */
const SLICE_CHARS = 16_384;
/**
 * Whatever the encoder's own pattern keeps together lies within one of these, except for one character before it. A run
 * without a maximum length overflows the stack of the pattern matcher after some millions of characters. A longer one
 * comes in parts that are each over `RUN_BYTES`, and is cut all the same.
 */
const RUNS = /[\p{L}\p{M}]{1,1024}|\s{1,1024}|\p{N}{1,1024}|[^\s\p{L}\p{N}]{1,1024}/gu;
/** What looks like a vendor's control token is counted as text: the vendor treats it so, too. */
const AS_TEXT = { disallowedSpecial: new Set<string>() };

// A cached word keeps the whole text that it was cut from in memory, and saves only a few percent.
setMergeCacheSize(0);

/** Linear in the length of the text, and without a limit: for threads that serve nothing else. */
export function countTokens(text: string): number {
  let tokens = 0;
  for (const slice of slicesOf(text)) tokens += encodedTokens(slice, AS_TEXT);
  return tokens;
}

/**
 * For the main thread: yields to the event loop between slices. Counts the first `LIMITS.countedBytes` of all texts
 * together, and takes one token a byte for the rest, which no tokenizer exceeds.
 */
export const countTexts: CountTexts = async (texts) => {
  const counts: number[] = [];
  let leftBytes: number = LIMITS.countedBytes;
  let charsSinceTurn = 0;
  for (const text of texts) {
    let tokens = 0;
    let counted = 0;
    for (const slice of slicesOf(text)) {
      if (leftBytes <= 0) break;
      tokens += encodedTokens(slice, AS_TEXT);
      leftBytes -= utf8Bytes(slice);
      counted += slice.length;
      charsSinceTurn += slice.length;
      if (charsSinceTurn < SLICE_CHARS) continue;
      charsSinceTurn = 0;
      await nextTurn();
    }
    counts.push(tokens + utf8Bytes(text, counted));
  }
  return counts;
};

/** Slices that join to the text; none has an unbroken run of more than `RUN_BYTES`. */
export function* slicesOf(text: string): Generator<string, void> {
  let from = 0;
  for (const { 0: run, index } of text.matchAll(RUNS)) {
    const end = index + run.length;
    // A unit has three bytes at most, so most runs need no closer look.
    if (run.length * 3 > RUN_BYTES && utf8Bytes(run) > RUN_BYTES) {
      if (index > from) yield text.slice(from, index);
      yield* cutRun(run);
      from = end;
    } else if (end - from >= SLICE_CHARS && run.trim() !== '') {
      yield text.slice(from, end);
      from = end;
    }
  }
  if (from < text.length) yield text.slice(from);
}

function* cutRun(run: string): Generator<string, void> {
  let from = 0;
  let bytes = 0;
  for (let at = 0; at < run.length; ) {
    const code = run.codePointAt(at) ?? 0;
    bytes += utf8BytesOf(code);
    if (bytes > RUN_BYTES) {
      yield run.slice(from, at);
      from = at;
      bytes = utf8BytesOf(code);
    }
    at += code > 0xffff ? 2 : 1;
  }
  yield run.slice(from);
}

/** @param from where to begin, in UTF-16 units. */
export function utf8Bytes(text: string, from = 0): number {
  let bytes = 0;
  for (let at = from; at < text.length; ) {
    const code = text.codePointAt(at) ?? 0;
    bytes += utf8BytesOf(code);
    at += code > 0xffff ? 2 : 1;
  }
  return bytes;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
