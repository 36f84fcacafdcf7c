/** The query of a request, checked; a fault is named by its field. @throws invalid_request */
import type { Request } from 'express';
import type { z } from 'zod';
import { UnbrokenError } from '../contracts/errors.ts';

export function parseQuery<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(request.query);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'query'}: ${issue.message}`);
  throw new UnbrokenError('invalid_request', lines.join('; '));
}
