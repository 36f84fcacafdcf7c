/**
 * How much of a searched text occurs in another: the share of its trigrams. Finds a part of a word, and a word in spite
 * of a typing error, in any language. Source: PostgreSQL, pg_trgm, `word_similarity`.
 */
const MOST_TRIGRAMS = 100;

/** @returns a function from a text to its similarity, from 0 to 1. */
export function similarityTo(searched: string): (text: string) => number {
  const trigrams = trigramsOf(searched);
  return (text) => {
    if (trigrams.length === 0) return 0;
    const within = normalized(text);
    return trigrams.filter((trigram) => within.includes(trigram)).length / trigrams.length;
  };
}

function trigramsOf(searched: string): string[] {
  const text = normalized(searched).trimEnd();
  const trigrams = new Set<string>();
  for (let at = 0; at + 3 <= text.length && trigrams.size < MOST_TRIGRAMS; at += 1) {
    trigrams.add(text.slice(at, at + 3));
  }
  return [...trigrams];
}

/** Lower case, words separated by one space, with a space at both ends. */
function normalized(text: string): string {
  return ` ${text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}]+/gu, ' ')
    .trim()} `;
}
