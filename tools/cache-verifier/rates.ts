/** Shares of pairs with their 95 % intervals. */
export interface Share {
  readonly hits: number;
  readonly of: number;
}

/** Wilson's score interval of a share, at 95 %. Source: E. B. Wilson, "Probable inference" (1927). */
export function wilson({ hits, of }: Share): [low: number, high: number] {
  if (of === 0) return [0, 1];
  const z = 1.959_964;
  const share = hits / of;
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const half = (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

export const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** `12 of 40, 30.0 % (18.1 to 45.4)`. */
export function shown(share: Share): string {
  if (share.of === 0) return '-';
  const [low, high] = wilson(share).map((end) => (end * 100).toFixed(1));
  return `${share.hits} of ${share.of}, ${percent(share.hits / share.of)} (${low} to ${high})`;
}
