/**
 * How deep a JSON text is nested, told before it is parsed: eight megabytes of brackets would take a hundred megabytes
 * as objects, and code that walks them would run out of stack.
 */
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The depth, or the first one over `enough`. Text that is no JSON gives some number. */
export function jsonDepth(text: Buffer, enough: number): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at] ?? 0;
    if (byte === QUOTE) at = endOfString(text, at);
    else if (OPENING.has(byte)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
      if (deepest > enough) return deepest;
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  return deepest;
}

/** Strings are most of a prompt, so their ends are searched natively. */
function endOfString(text: Buffer, start: number): number {
  let quote = text.indexOf(QUOTE, start + 1);
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf(QUOTE, quote + 1);
  return quote === -1 ? text.length : quote;
}

/** Whether an odd number of backslashes stands before. */
function isEscaped(text: Buffer, quote: number): boolean {
  let before = quote - 1;
  while (text[before] === BACKSLASH) before -= 1;
  return (quote - before) % 2 === 0;
}
