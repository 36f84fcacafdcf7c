/** Sends an error as `{error:{code,message,doc}}`, with the status that the error table gives it. */
import type { Response } from 'express';
import type { UnbrokenError } from '../../contracts/errors.ts';

/** When a client may retry a service that was unreachable. */
export const RETRY_AFTER_SECONDS = 2;

/** @param body in the format of another vendor; ours if absent. @param status that of the vendor; ours if absent. */
export function sendError(
  response: Response,
  error: UnbrokenError,
  body?: object,
  status = error.entry.status,
): void {
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 503) response.setHeader('retry-after', RETRY_AFTER_SECONDS);
  if (error.retryAfterMs !== undefined)
    response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1_000));
  response.status(status).json(body ?? { error: error.toBody() });
}
