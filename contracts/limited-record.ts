/** A record of a request: how many keys it may have is looked at before any of them is checked. */
import { z } from 'zod';

export function limitedRecord<Key extends z.ZodString, Value extends z.ZodType>(
  key: Key,
  value: Value,
  mostKeys: number,
) {
  const limit = (given: unknown, context: z.RefinementCtx) => {
    if (hasMoreKeys(given, mostKeys)) {
      context.addIssue({ code: 'custom', message: `expected at most ${mostKeys} keys`, input: given });
    }
    return given;
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
