/** The JSON body of a request, checked. @throws unsupported_media_type, invalid_request */
import type { Request } from 'express';
import type { z } from 'zod';
import { UnbrokenError } from '../contracts/errors.ts';

export function parseBody<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const hasBody = request.get('content-type') !== undefined;
  if (hasBody && !request.is('application/json')) {
    throw new UnbrokenError('unsupported_media_type', 'The body must be JSON.');
  }
  const parsed = schema.safeParse(hasBody ? request.body : {});
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new UnbrokenError('invalid_request', lines.join('; '));
}
