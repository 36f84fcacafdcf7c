/**
 * Reads a provider's stream with limits on silence: one before the first content, another between contents. Any byte
 * from the provider extends them, and any event; but a provider that sends nothing else has a limit, too.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import { TooLate, withTimeout } from '../../platform/with-timeout.ts';
import type { ProviderEvent } from './provider.ts';
import type { CallLimits } from './provider-settings.ts';

interface SilenceLimits extends Omit<CallLimits, 'connectMs'> {
  /** Whether the model may be silent for longer once it has accepted the call. */
  readonly mayThink: boolean;
  /** When the last byte arrived from the provider, in ms since 1970; 0: none has. */
  readonly lastByteAtMs: () => number;
  /** Ends the request; called after silence, and when the reader leaves. */
  readonly stop: () => void;
}

export async function* readInTime(
  events: AsyncIterable<ProviderEvent>,
  limits: SilenceLimits,
): AsyncGenerator<ProviderEvent> {
  const iterator = events[Symbol.asyncIterator]();
  const silence = new Silence(limits);
  try {
    for (;;) {
      const next = await nextInTime(iterator, silence);
      if (next.done) return;
      silence.note(next.value);
      yield next.value;
      silence.continue();
    }
  } catch (error) {
    throw error instanceof TooLate ? silence.error() : error;
  } finally {
    limits.stop();
  }
}

async function nextInTime(iterator: AsyncIterator<ProviderEvent>, silence: Silence) {
  const next = iterator.next();
  for (;;) {
    try {
      return await withTimeout('The provider', silence.endsAtMs - Date.now(), next);
    } catch (error) {
      // Bytes may have arrived in the meantime.
      if (!(error instanceof TooLate) || silence.endsAtMs <= Date.now()) throw error;
    }
  }
}

/** How long the provider may still be silent. */
class Silence {
  readonly #limits: SilenceLimits;
  #hasContent = false;
  #limitMs: number;
  /** Since when the limit counts: the last event, or the return of our reader. */
  #sinceMs = Date.now();
  #contentAtMs = Date.now();

  constructor(limits: SilenceLimits) {
    this.#limits = limits;
    this.#limitMs = limits.firstTokenMs;
  }

  get endsAtMs(): number {
    const lastSignMs = Math.max(this.#sinceMs, this.#limits.lastByteAtMs());
    const withoutContentMs = Math.max(this.#limitMs, this.#limits.aliveMs);
    return Math.min(lastSignMs + this.#limitMs, this.#contentAtMs + withoutContentMs);
  }

  note({ type }: ProviderEvent): void {
    const { mayThink, thinkingMs, betweenTokensMs } = this.#limits;
    const thinksMs = mayThink ? thinkingMs : 0;
    const isContent = type !== 'accepted' && type !== 'usage';
    if (isContent) {
      this.#hasContent = true;
      this.#contentAtMs = Date.now();
      this.#limitMs = Math.max(betweenTokensMs, thinksMs);
    } else if (type === 'accepted' && !this.#hasContent) this.#limitMs = Math.max(this.#limitMs, thinksMs);
    this.#sinceMs = Date.now();
  }

  /** The time that our reader took is not the provider's silence. */
  continue(): void {
    this.#sinceMs = Date.now();
    if (this.#hasContent) this.#contentAtMs = Date.now();
  }

  error(): UnbrokenError {
    return this.#hasContent
      ? new UnbrokenError('provider_stalled', 'The provider was silent in the middle of its answer.')
      : new UnbrokenError('provider_first_token_timeout', 'The provider was silent before its first token.');
  }
}
