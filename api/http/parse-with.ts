/**
 * What came from outside, by its schema; else a 400 that names the field. The only way by which a request's values are
 * checked: it stops at the first fault, as a body of a hundred thousand faults must not cost a hundred thousand reports.
 */
import type { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';

/** Stops each list and object at its first fault. */
const FIRST_FAULT: z.core.ParseContextInternal<z.core.$ZodIssue> = { abortEarly: true };
const MOST_LINES = 5;

/** @param where stands before a fault of the whole value. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where = 'body',
): z.output<Schema> {
  const parsed = schema.safeParse(value, FIRST_FAULT);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, MOST_LINES).map((issue) => faultOf(issue));
  const lines = faults.map(({ path, message }) => `${path.join('.') || where}: ${message}`);
  const param = faults[0]?.path.join('.') || where;
  throw new UnbrokenError('invalid_request', lines.join('; '), { details: { param } });
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A union fails as a whole. What helps is the fault of the branch that the value was meant for: the one that it fits deepest. */
function faultOf(issue: z.core.$ZodIssue): Fault {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const branches = issue.errors.flatMap(([first]) => (first === undefined ? [] : [faultOf(first)]));
  const deepest = Math.max(...branches.map(({ path }) => path.length));
  const meant = branches.filter(({ path }) => path.length === deepest);
  const path = [...issue.path, ...(meant[0]?.path ?? [])];
  const reasons = meant.filter((branch) => branch.path.join('.') === meant[0]?.path.join('.'));
  const messages = new Set(reasons.map(({ message }) => message.replace(/^Invalid (input|option): /, '')));
  return { path, message: `Invalid input: ${[...messages].join(', or ')}` };
}
