/** The body of a request for a generation, checked; every route that takes one says the same about a bad one. */
import type { Request } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { type GenerationRequest, generationRequestSchema } from '../../contracts/generation.ts';
import { parseBody } from './parse-body.ts';

export function readRequest(request: Request): GenerationRequest {
  if (!request.is('application/json')) {
    throw new UnbrokenError('unsupported_media_type', 'The body must be JSON.');
  }
  return parseBody(request, generationRequestSchema);
}
