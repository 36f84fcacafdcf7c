/**
 * Reads a provider's stream with limits on silence: one before the first content, another between contents. Any byte
 * from the provider extends them, and any event; but a provider that sends nothing else has a limit, too.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ProviderEvent } from './provider.ts';
import type { CallLimits } from './provider-settings.ts';

interface SilenceLimits extends Omit<CallLimits, 'connectMs'> {
  /** Whether the model may be silent for longer once it has accepted the call. */
  readonly mayThink: boolean;
  /** When the last byte arrived from the provider, in ms since 1970; 0: none has. */
  readonly lastByteAtMs: () => number;
  /** Called at the end. `isWhole` is false if the answer has not finished: silence, an error, or a reader that left. */
  readonly stop: (isWhole: boolean) => void;
}

export async function* readInTime(
  events: AsyncIterable<ProviderEvent>,
  limits: SilenceLimits,
): AsyncGenerator<ProviderEvent> {
  const iterator = events[Symbol.asyncIterator]();
  const silence = new Silence(limits);
  const watch = new SilenceWatch(silence);
  let isWhole = false;
  try {
    for (;;) {
      const next = await watch.inTime(iterator.next());
      if (next.done) {
        isWhole = true;
        return;
      }
      isWhole ||= next.value.type === 'finish';
      silence.note(next.value);
      yield next.value;
      silence.continue();
    }
  } finally {
    watch.end();
    limits.stop(isWhole);
  }
}

/** One timer for a whole stream: it is set again when it fires too early, not for each event. */
class SilenceWatch {
  readonly #silence: Silence;
  #timer: NodeJS.Timeout | null = null;
  #firesAtMs = 0;
  /** Fails the read that waits; null while none does. */
  #fail: ((error: UnbrokenError) => void) | null = null;

  constructor(silence: Silence) {
    this.#silence = silence;
  }

  inTime<Value>(next: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#setTimer();
      next.then(
        (value) => {
          this.#fail = null;
          resolve(value);
        },
        (error: unknown) => {
          this.#fail = null;
          reject(error);
        },
      );
    });
  }

  end(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }

  #setTimer(): void {
    const { endsAtMs } = this.#silence;
    if (this.#timer !== null && this.#firesAtMs <= endsAtMs) return;
    this.end();
    this.#firesAtMs = endsAtMs;
    // In a busy process the timer fires before Node reads what has already been received. `setImmediate` runs after
    // that read.
    const onTime = () => setImmediate(() => this.#check(timer));
    const timer = setTimeout(onTime, Math.max(0, endsAtMs - Date.now()));
    this.#timer = timer;
  }

  /** Bytes may have arrived since the timer was set. Between two reads nothing is checked: the next one sets it. */
  #check(timer: NodeJS.Timeout): void {
    if (this.#timer !== timer) return;
    this.#timer = null;
    if (this.#fail === null) return;
    if (this.#silence.endsAtMs <= Date.now()) this.#fail(this.#silence.error());
    else this.#setTimer();
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
