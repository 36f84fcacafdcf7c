/** A seeded source of random numbers (mulberry32): the same seed repeats the same crashes. */
export interface Random {
  readonly seed: number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { seed, between: (low, high) => low + Math.floor(next() * (high - low + 1)) };
}

export function pick<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[random.between(0, values.length - 1)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

/** A seed for this run: `UNBROKEN_SEED` where a failure is repeated, else a new one. */
export function chooseSeed(): number {
  const fromEnvironment = Number(process.env['UNBROKEN_SEED']);
  return Number.isInteger(fromEnvironment) && fromEnvironment > 0
    ? fromEnvironment
    : 1 + Math.floor(Math.random() * 1_000_000);
}
