/** The seed of a request: up to 64 bits, of which vendors differ in how many they take. */
import { z } from 'zod';
import { toBigInt, toWholeNumber, type WholeNumber } from './json.ts';

const LEAST = -(2n ** 63n);
const MOST = 2n ** 64n - 1n;

/** A JavaScript number holds 53 bits, so a longer seed is not one. */
export const seedSchema = z
  .unknown()
  .refine((value) => isWithin(value, LEAST, MOST), 'expected a whole number of up to 64 bits')
  .meta({ type: 'integer', minimum: Number(LEAST), maximum: Number(MOST) }) as z.ZodType<WholeNumber>;

export function isWithin(value: unknown, least: bigint, most: bigint): boolean {
  const whole = toBigInt(value);
  return whole !== null && whole >= least && whole <= most;
}

/** The seed of a further choice: with the same one, a model would give the same answer again. */
export function seedOfChoice(seed: WholeNumber, index: number): WholeNumber {
  const own = (toBigInt(seed) ?? 0n) + BigInt(index);
  return toWholeNumber(own <= MOST ? own : own - 2n * BigInt(index));
}
