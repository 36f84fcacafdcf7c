/** A JSON Schema whose only value is long, and unlike that of any other: a piece of it in the wrong place is seen. */
import { pick, type Random } from '../../harness/random.ts';

const WORDS = ['harbour "north"', 'stone\\bridge', 'café 🚀', 'line\nbreak', '{brace', 'tea, maps', '東京'];
const DEPTH = 2;

export function madeUpSchema(random: Random, depth = DEPTH): Record<string, unknown> {
  const names = Array.from({ length: random.between(3, 9) }, (_, place) => `field_${place}`);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, propertyOf(random, depth)])),
    required: names,
    additionalProperties: false,
  };
}

function propertyOf(random: Random, depth: number): Record<string, unknown> {
  switch (random.between(depth === 0 ? 2 : 1, 5)) {
    case 1:
      return madeUpSchema(random, depth - 1);
    case 2:
      // Not by its bounds: some vendors' schemas have none, so their models may write any number.
      return { type: 'integer', enum: [random.between(0, 999_999)] };
    case 3:
      return { type: 'boolean' };
    default:
      return { type: 'string', enum: [`${pick(random, WORDS)} ${random.between(0, 999_999)}`] };
  }
}
