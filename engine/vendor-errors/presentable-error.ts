/** Makes an error of a vendor presentable to a caller: without keys, and not longer than a sentence or two. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { redact } from '../../contracts/redact.ts';

const MESSAGE_CHARS = 300;

export function toPresentableError(error: UnbrokenError, secrets: readonly string[]): UnbrokenError {
  const message = redact(error.message, secrets).slice(0, MESSAGE_CHARS);
  if (message === error.message) return error;
  const { code, retryAfterMs, refusal, details, cause } = error;
  return new UnbrokenError(code, message, {
    retryAfterMs,
    refusal,
    details: details && { ...details },
    cause,
  });
}
