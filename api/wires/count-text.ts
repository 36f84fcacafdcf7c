/** Counts the tokens of texts of any length without holding up other callers. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** So much is counted at a time. */
const COUNTED_CHARS = 16_000;

export async function countTexts(
  texts: readonly string[],
  countTokens: (text: string) => number,
): Promise<number> {
  let tokens = 0;
  let counted = 0;
  for (const text of texts) {
    for (let from = 0; from < text.length; from += COUNTED_CHARS) {
      const piece = text.slice(from, from + COUNTED_CHARS);
      tokens += countTokens(piece);
      counted += piece.length;
      if (counted < COUNTED_CHARS) continue;
      counted = 0;
      await nextTurn();
    }
  }
  return tokens;
}
