/**
 * Maps any error to one that a client may see: ours unchanged, an outage of Redis as 503, everything else as a bare
 * `internal`. HTTP and every WebSocket use this one function, so that an outage looks the same on each.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import { isRedisAway } from '../../platform/redis/redis-connection.ts';

export function toPublicError(error: unknown): UnbrokenError {
  if (error instanceof UnbrokenError) return error;
  if (isRedisAway(error)) {
    const message = 'Redis does not answer; send the request again.';
    return new UnbrokenError('service_unavailable', message, { cause: error });
  }
  return new UnbrokenError('internal', 'Something failed on our side.', { cause: error });
}
