/** The query of a request, checked; a fault is named by its field. @throws invalid_request */
import type { Request } from 'express';
import type { z } from 'zod';
import { checked } from './parse-with.ts';

export function parseQuery<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  return checked(schema, request.query, 'query');
}
