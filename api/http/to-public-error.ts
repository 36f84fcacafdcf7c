/** What a caller is told of any error: ours as it is, a Redis that is away as such, and of the rest nothing. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { isRedisAway } from '../../platform/redis/redis-connection.ts';

export function toKnownError(error: unknown): UnbrokenError {
  if (error instanceof UnbrokenError) return error;
  if (isRedisAway(error)) {
    const message = 'Redis does not answer; send the request again.';
    return new UnbrokenError('service_unavailable', message, { cause: error });
  }
  return new UnbrokenError('internal', 'Something failed on our side.', { cause: error });
}
