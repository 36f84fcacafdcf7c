import { describe, expect, test } from '@jest/globals';
import { clusteredUpper, wilson } from '../../../tools/cache-verifier/rates.ts';

interface Item {
  readonly group: string;
  readonly isHit: boolean;
}

/** Groups of ten, of which some have that many hits each. */
function items({ groups, withHits, hits }: { groups: number; withHits: number; hits: number }): Item[] {
  return Array.from({ length: groups }, (_, group) =>
    Array.from({ length: 10 }, (_, at) => ({ group: `${group}`, isHit: group < withHits && at < hits })),
  ).flat();
}

const upperOf = (all: readonly Item[], groupings = [({ group }: Item) => group]) =>
  clusteredUpper(all, ({ isHit }) => isHit, groupings);

describe('the upper end of the interval of a share', () => {
  test('is that of single items if each hit stands alone', () => {
    const alone = items({ groups: 100, withHits: 20, hits: 1 });
    expect(upperOf(alone)).toBe(wilson({ hits: 20, of: 1_000 })[1]);
  });

  test('is higher the more hits come together, by the worse of two ways to group', () => {
    const together = items({ groups: 100, withHits: 2, hits: 10 });
    const [, alone] = wilson({ hits: 20, of: 1_000 });
    // Ten that come together count about as one: the interval is that of 2 of 100.
    expect(upperOf(together)).toBeGreaterThan(2 * alone);
    const byItself = (item: Item) => `${together.indexOf(item)}`;
    expect(upperOf(together, [byItself, ({ group }) => group])).toBe(upperOf(together));
  });

  test('is not 0 if there was no hit', () => {
    expect(upperOf(items({ groups: 100, withHits: 0, hits: 0 }))).toBe(wilson({ hits: 0, of: 1_000 })[1]);
  });
});
