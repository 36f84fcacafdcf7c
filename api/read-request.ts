/** The body of a request for a generation, checked; every route that takes one says the same about a bad one. */
import type { Request } from 'express';
import { UnbrokenError } from '../contracts/errors.ts';
import { type GenerationRequest, generationRequestSchema } from '../contracts/generation.ts';

export function readRequest(request: Request): GenerationRequest {
  if (!request.is('application/json')) {
    throw new UnbrokenError('unsupported_media_type', 'The body must be JSON.');
  }
  const parsed = generationRequestSchema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new UnbrokenError('invalid_request', lines.join('; '));
}
