/** What came from outside, by its schema; else a 400 that names each fault. */
import type { z } from 'zod';
import { UnbrokenError } from '../contracts/errors.ts';

/** @param where stands before a fault of the whole value. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where = 'body',
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || where}: ${issue.message}`);
  throw new UnbrokenError('invalid_request', lines.join('; '));
}
