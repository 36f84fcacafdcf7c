/** Reads a provider's stream with a limit on silence: one before the first content, another between contents. */
import { UnbrokenError } from '../../contracts/errors.ts';
import { TooLate, withTimeout } from '../../platform/with-timeout.ts';
import type { ProviderEvent } from './provider.ts';
import type { CallLimits } from './provider-settings.ts';

interface SilenceLimits extends Omit<CallLimits, 'connectMs'> {
  /** Whether the model may be silent for longer once it has accepted the call. */
  readonly mayThink: boolean;
  /** Ends the request; called after silence, and when the reader leaves. */
  readonly stop: () => void;
}

export async function* readInTime(
  events: AsyncIterable<ProviderEvent>,
  { firstTokenMs, betweenTokensMs, thinkingMs, mayThink, stop }: SilenceLimits,
): AsyncGenerator<ProviderEvent> {
  const iterator = events[Symbol.asyncIterator]();
  let hasContent = false;
  let deadline = Date.now() + firstTokenMs;
  try {
    for (;;) {
      const next = await withTimeout('The provider', deadline - Date.now(), iterator.next());
      if (next.done) return;
      const { type } = next.value;
      if (type === 'accepted' && mayThink && !hasContent) {
        deadline = Math.max(deadline, Date.now() + thinkingMs);
      }
      if (type !== 'accepted' && type !== 'usage') hasContent = true;
      yield next.value;
      // The time that our reader took is not the provider's silence.
      if (hasContent) deadline = Date.now() + betweenTokensMs;
    }
  } catch (error) {
    throw error instanceof TooLate ? silence(hasContent) : error;
  } finally {
    stop();
  }
}

function silence(hasContent: boolean): UnbrokenError {
  return hasContent
    ? new UnbrokenError('provider_stalled', 'The provider was silent in the middle of its answer.')
    : new UnbrokenError('provider_first_token_timeout', 'The provider was silent before its first token.');
}
