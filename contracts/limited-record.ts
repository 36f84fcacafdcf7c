/** A record whose keys are counted before any of them is checked: a huge one costs no more than its limit. */
import { z } from 'zod';

export function limitedRecord<Key extends z.ZodString, Value extends z.ZodType>(
  key: Key,
  value: Value,
  mostKeys: number,
) {
  const limit = (input: unknown, context: z.RefinementCtx) => {
    if (hasMoreKeys(input, mostKeys)) {
      context.addIssue({ code: 'custom', message: `expected at most ${mostKeys} keys`, input });
    }
    return input;
  };
  return z.preprocess(limit, z.record(key, value)).meta({ maxProperties: mostKeys });
}

function hasMoreKeys(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  let keys = 0;
  for (const key in value) {
    if (Object.hasOwn(value, key)) keys += 1;
    if (keys > most) return true;
  }
  return false;
}
