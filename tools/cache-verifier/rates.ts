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

/**
 * The upper end of the interval of a share, at 95 %, of items that are not independent: hits that come together in a
 * group, or with one author, are worth fewer. Counts are divided by the design effect of the worse of these ways to
 * group them. Source: L. Kish, "Survey Sampling" (1965), chapter 5.
 */
export function clusteredUpper<Item>(
  items: readonly Item[],
  isHit: (item: Item) => boolean,
  groupings: readonly ((item: Item) => string)[],
): number {
  const share: Share = { hits: items.filter(isHit).length, of: items.length };
  const effect = Math.max(
    1,
    ...groupings.map((groupOf) => designEffect(share, [...Map.groupBy(items, groupOf).values()], isHit)),
  );
  return wilson({ hits: share.hits / effect, of: share.of / effect })[1];
}

/** How many times the variance of the share is what it would be if each item were alone. */
function designEffect<Item>(
  { hits, of }: Share,
  groups: readonly (readonly Item[])[],
  isHit: (item: Item) => boolean,
): number {
  const share = hits / of;
  if (share === 0 || share === 1 || groups.length < 2) return 1;
  const squares = groups.map((own) => (own.filter(isHit).length - own.length * share) ** 2);
  const variance = (squares.reduce((sum, square) => sum + square, 0) * groups.length) / (groups.length - 1);
  return variance / (of * share * (1 - share));
}

export const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

/** `12 of 40, 30.0 % (18.1 to 45.4)`. */
export function shown(share: Share): string {
  if (share.of === 0) return '-';
  const [low, high] = wilson(share).map((end) => (end * 100).toFixed(1));
  return `${share.hits} of ${share.of}, ${percent(share.hits / share.of)} (${low} to ${high})`;
}
