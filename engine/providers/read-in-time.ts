/** Reads a provider's stream with a limit on silence: one before the first content, another between contents. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ProviderEvent } from './provider.ts';
import type { CallLimits } from './provider-settings.ts';

/**
 * @param mayThink whether the model may be silent for longer once it has taken the call.
 * @param stop ends the request below; called on silence and when the reader leaves.
 */
export async function* readInTime(
  events: AsyncIterable<ProviderEvent>,
  { firstTokenMs, betweenTokensMs, thinkingMs }: CallLimits,
  mayThink: boolean,
  stop: () => void,
): AsyncGenerator<ProviderEvent> {
  const iterator = events[Symbol.asyncIterator]();
  let hasContent = false;
  let deadline = Date.now() + firstTokenMs;
  try {
    for (;;) {
      const next = await inTime(iterator.next(), deadline - Date.now(), hasContent);
      if (next.done) return;
      const { type } = next.value;
      if (type === 'accepted' && mayThink && !hasContent)
        deadline = Math.max(deadline, Date.now() + thinkingMs);
      if (type !== 'accepted' && type !== 'usage') hasContent = true;
      yield next.value;
      // The time that our reader took is not the provider's silence.
      if (hasContent) deadline = Date.now() + betweenTokensMs;
    }
  } finally {
    stop();
  }
}

function inTime<Value>(promise: Promise<Value>, limitMs: number, hasContent: boolean): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => {
        const code = hasContent ? 'provider_stalled' : 'provider_first_token_timeout';
        const where = hasContent ? 'in the middle of its answer' : 'before its first token';
        reject(new UnbrokenError(code, `The provider was silent ${where}.`));
      },
      Math.max(0, limitMs),
    );
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
