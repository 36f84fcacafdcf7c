/** The JSON body of a request, checked. @throws unsupported_media_type, invalid_request */
import type { Request } from 'express';
import type { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { checked } from './parse-with.ts';

export function parseBody<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const hasBody = request.get('content-type') !== undefined;
  if (hasBody && !request.is('application/json')) {
    throw new UnbrokenError('unsupported_media_type', 'The body must be JSON.');
  }
  return checked(schema, hasBody ? request.body : {});
}
