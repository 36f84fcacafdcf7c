/** What a reader has of one generation, for user interfaces: it follows while there is a subscriber. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { GenerationFailedError, isTerminal, type UnbrokenClient } from './index.ts';

/**
 * `idle`: there is no id yet. `connecting`: no event has arrived. `reconnecting`: the connection was lost, and no
 * event has arrived since. `failed`: see `error`.
 */
export type GenerationStatus =
  | 'idle'
  | 'connecting'
  | 'streaming'
  | 'reconnecting'
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface ShownGeneration {
  /** The text so far, without voided text. */
  readonly text: string;
  readonly status: GenerationStatus;
  /**
   * GenerationFailedError if the generation failed; ClientError if the API refuses to show it; StreamIntegrityError.
   * A disconnect is no error.
   */
  readonly error: Error | null;
  /** Set once the model has declined: why, in its words if it has any. `text` holds what it wrote before. */
  readonly refusal: string | null;
}

export type GenerationClient = Pick<UnbrokenClient, 'follow' | 'cancel'>;

/** Hundreds of tokens may arrive in a second; subscribers are notified at most once a frame. */
const FRAME_MS = 16;

export class GenerationStore {
  readonly #client: GenerationClient;
  readonly #generationId: string | undefined;
  readonly #listeners = new Set<() => void>();
  #shown: ShownGeneration;
  #lastSeq = -1;
  #hasEnded = false;
  #connection: AbortController | undefined;
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(client: GenerationClient, generationId: string | undefined) {
    this.#client = client;
    this.#generationId = generationId;
    this.#shown = {
      text: '',
      status: generationId === undefined ? 'idle' : 'connecting',
      error: null,
      refusal: null,
    };
  }

  readonly current = (): ShownGeneration => this.#shown;

  /** @returns the function that unsubscribes. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  readonly cancel = async (): Promise<void> => {
    if (this.#generationId !== undefined) await this.#client.cancel(this.#generationId);
  };

  #start(): void {
    if (this.#generationId === undefined || this.#hasEnded) return;
    const connection = new AbortController();
    this.#connection = connection;
    this.#follow(this.#generationId, connection.signal).catch((error: unknown) => {
      if (connection.signal.aborted) return;
      this.#show({ status: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
    });
  }

  #stop(): void {
    this.#connection?.abort();
    this.#connection = undefined;
    clearTimeout(this.#frame);
    this.#frame = undefined;
  }

  async #follow(generationId: string, signal: AbortSignal): Promise<void> {
    const events = this.#client.follow(generationId, {
      after: this.#lastSeq,
      signal,
      // The user closes the page when the wait is too long.
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      onReconnect: ({ delayMs }) => {
        if (delayMs > 0 && !signal.aborted) this.#show({ status: 'reconnecting' });
      },
    });
    for await (const event of events) {
      // A stopped connection may still hold an event. The next connection receives it too.
      if (signal.aborted) return;
      this.#lastSeq = event.seq;
      this.#hasEnded = isTerminal(event);
      this.#show(changeBy(event, this.#shown.text));
    }
  }

  #show(change: Partial<ShownGeneration>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#frame ??= setTimeout(() => {
      this.#frame = undefined;
      for (const listener of this.#listeners) listener();
    }, FRAME_MS);
  }
}

function changeBy(event: GenerationEvent, text: string): Partial<ShownGeneration> {
  switch (event.type) {
    case 'text-delta':
      return { status: 'streaming', error: null, text: text + event.text };
    case 'text-reset':
      return { status: 'streaming', error: null, text: '' };
    case 'generation-end':
      return { status: 'completed', error: null, refusal: refusalOf(event) };
    case 'generation-error':
      return { status: 'failed', error: new GenerationFailedError(event.error, text) };
    case 'generation-cancel':
      return { status: 'cancelled', error: null };
    default:
      return { status: 'streaming', error: null };
  }
}

function refusalOf(end: Extract<GenerationEvent, { type: 'generation-end' }>): string | null {
  if (end.finishReason === 'content-filter') return 'A filter of the provider ended the answer.';
  return end.finishReason === 'refusal' ? (end.refusal?.text ?? 'The model declined to answer.') : null;
}
