/**
 * Checks the values of a request against a schema, and answers 400 with the field at fault. Every route takes its body,
 * its query and the names in its path from here. A check stops at the first fault of each list and object: a body of a
 * hundred thousand faults must not cost a hundred thousand reports.
 */
import type { Request } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { type GenerationRequest, generationRequestSchema } from '../../contracts/generation.ts';

const FIRST_FAULT: z.core.ParseContextInternal<z.core.$ZodIssue> = { abortEarly: true };
const MAX_FAULTS = 5;

/**
 * @param where names the value in faults that concern it as a whole.
 * @throws invalid_request
 */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where = 'body',
): z.output<Schema> {
  const parsed = schema.safeParse(value, FIRST_FAULT);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, MAX_FAULTS).map((issue) => faultOf(issue));
  const lines = faults.map(({ path, message }) => `${path.join('.') || where}: ${message}`);
  const param = faults[0]?.path.join('.') || where;
  throw new UnbrokenError('invalid_request', lines.join('; '), { details: { param } });
}

/** A request without a body counts as `{}`. @throws unsupported_media_type, invalid_request */
export function parseBody<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const hasBody = request.get('content-type') !== undefined;
  if (hasBody) requireJson(request);
  return parseWith(schema, hasBody ? request.body : {});
}

/** @throws invalid_request */
export function parseQuery<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  return parseWith(schema, request.query, 'query');
}

/** @throws unsupported_media_type, invalid_request */
export function readGenerationRequest(request: Request): GenerationRequest {
  requireJson(request);
  return parseBody(request, generationRequestSchema);
}

/** @throws unsupported_media_type */
export function requireJson(request: Request): void {
  if (!request.is('application/json')) {
    throw new UnbrokenError('unsupported_media_type', 'The body must be JSON.');
  }
}

/** The length of a page, `?limit=`. */
export function pageLimitSchema({ most, byDefault }: { readonly most: number; readonly byDefault: number }) {
  const message = `expected a whole number from 1 to ${most}`;
  const limit = z.preprocess(fromDigits, z.int(message).min(1, message).max(most, message));
  return limit.default(byDefault).describe(`${byDefault} if absent`);
}

/** What a list takes that has no other filter. */
export const pageQuerySchema = z.object({ limit: pageLimitSchema({ most: 100, byDefault: 20 }) });

/** What a list takes whose pages begin at an offset. */
export const offsetPageQuerySchema = z.strictObject({
  ...pageQuerySchema.shape,
  after: z
    .string()
    .regex(/^\d{1,6}$/, 'expected the "next" of the page before')
    .default('0')
    .describe('`next` of the page before'),
});

/** Digits alone: `Number` would also take `1e2`, ` 5 ` and the empty text. */
function fromDigits(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

interface Fault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * A union fails as a whole, which helps no one. The fault to report is that of the branch that the value was meant for:
 * the branch that it fits deepest.
 */
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
