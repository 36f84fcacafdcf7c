/** The one shape of an error: `{error:{code,message,doc}}` with the status of the table. */
import type { Response } from 'express';
import type { UnbrokenError } from '../../contracts/errors.ts';

/** Seconds that a client waits before it asks a service again that was away. */
const RETRY_AFTER_SECONDS = 2;

/** @param body of another format; absent: ours. */
export function sendError(response: Response, error: UnbrokenError, body?: object): void {
  const { status } = error.entry;
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  if (status === 503) response.setHeader('retry-after', RETRY_AFTER_SECONDS);
  if (error.retryAfterMs !== undefined)
    response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1_000));
  response.status(status).json(body ?? { error: error.toBody() });
}
