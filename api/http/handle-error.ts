/**
 * The error handler of the Express app, which every error of a route reaches. It logs the errors that an operator must
 * see, and never what a provider wrote, because that may quote a prompt.
 */
import type { ErrorRequestHandler, Request, Response } from 'express';
import type { Logger } from 'pino';
import { UnbrokenError } from '../../contracts/errors.ts';
import { isDisconnect } from './disconnect.ts';
import { toPublicError } from './to-public-error.ts';

/** @param send answers in the format of the route that failed. */
export function handleError(
  logger: Logger,
  send: (request: Request, response: Response, error: UnbrokenError) => void,
): ErrorRequestHandler {
  return (error, request, response, _next) => {
    if (isDisconnect(error, response)) {
      logger.debug({ err: error, path: request.path }, 'the client disconnected');
      return;
    }
    const publicError = fromExpress(error) ?? toPublicError(error);
    logFailure(logger, error, { publicError, path: request.path });
    if (response.headersSent) response.destroy();
    else send(request, response, publicError);
  };
}

interface Failure {
  readonly publicError: UnbrokenError;
  readonly path: string;
}

export function logFailure(
  logger: Pick<Logger, 'error'>,
  error: unknown,
  { publicError, path }: Failure,
): void {
  if (publicError.entry.status < 500) return;
  logger.error({ ...loggable(error, publicError), path }, 'request failed');
}

/** Of an error with a code, the code alone is logged; its cause too when the failure is ours. */
function loggable(
  error: unknown,
  { code }: UnbrokenError,
): { readonly code: string; readonly err?: unknown } {
  if (!(error instanceof UnbrokenError)) return { code, err: error };
  const isOurs = code === 'internal' || code === 'service_unavailable';
  return isOurs && error.cause !== undefined ? { code, err: error.cause } : { code };
}

/** Express' router and form parser set `status` on their errors; null for all other errors. */
function fromExpress(error: unknown): UnbrokenError | null {
  if (!(error instanceof Error) || error instanceof UnbrokenError || !('status' in error)) return null;
  const { status } = error;
  if (status === 413) return new UnbrokenError('body_too_large', 'The body is too large.');
  if (status === 415) return new UnbrokenError('unsupported_media_type', 'The encoding is not supported.');
  if (typeof status !== 'number' || status < 400 || status >= 500) return null;
  return new UnbrokenError('invalid_request', 'The request cannot be read.');
}
