/** Follows one generation while it is shown, and reports the state of its connection. */
import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { followGeneration, type GenerationEvent } from '../../typescript/index.ts';
import { type Arrival, foldEvents, type GenerationState, initialState } from './generation-state.ts';
import { NetworkSwitch } from './network-switch.ts';
import { baseUrl, pageFetch } from './session.ts';

export type Connection =
  | { readonly state: 'connecting' | 'open' | 'ended' }
  /** The user cut it with the button. */
  | { readonly state: 'cut'; readonly after: number }
  /** It was lost, and the client reconnects. */
  | { readonly state: 'lost'; readonly after: number; readonly reason: string }
  | { readonly state: 'refused'; readonly error: Error };

const HIDDEN_TAB_DRAW_MS = 100;

export class GenerationFollower {
  readonly #state;
  readonly #connection = signal<Connection>({ state: 'connecting' });
  readonly #breaks = signal<readonly number[]>([]);
  readonly #network = new NetworkSwitch(pageFetch);
  readonly #stopped = new AbortController();
  #arrived: GenerationEvent[] = [];
  #arrival: Arrival = 'caught-up';
  #frame: number | undefined;

  /** Starts to follow at once, until `stop` or the end of the generation. */
  constructor(generationId: string) {
    this.#state = signal(initialState(generationId));
    this.#follow(generationId).catch((error: unknown) => {
      if (this.#stopped.signal.aborted) return;
      this.#draw();
      this.#connection.value = { state: 'refused', error: errorFrom(error) };
    });
  }

  get state(): ReadonlySignal<GenerationState> {
    return this.#state;
  }

  get connection(): ReadonlySignal<Connection> {
    return this.#connection;
  }

  /** The cursors at which the connection was lost or cut. */
  get breaks(): ReadonlySignal<readonly number[]> {
    return this.#breaks;
  }

  cut(): void {
    this.#network.cut();
    this.#connection.value = { state: 'cut', after: this.#state.value.lastSeq };
  }

  resume(): void {
    this.#network.restore();
    this.#connection.value = { state: 'connecting' };
  }

  stop(): void {
    this.#stopped.abort();
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
  }

  async #follow(generationId: string): Promise<void> {
    const events = followGeneration({
      baseUrl: baseUrl(),
      generationId,
      fetch: this.#network.fetch,
      signal: this.#stopped.signal,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      onReconnect: ({ cause, after }) => this.#noteBreak(after, errorFrom(cause).message),
    });
    for await (const event of events) {
      this.#arrived.push(event);
      this.#drawSoon();
    }
    this.#draw();
    this.#connection.value = { state: 'ended' };
  }

  #noteBreak(after: number, reason: string): void {
    this.#draw();
    this.#arrival = 'caught-up';
    if (this.#breaks.value.at(-1) !== after) this.#breaks.value = [...this.#breaks.value, after];
    this.#connection.value = this.#network.isCut ? { state: 'cut', after } : { state: 'lost', after, reason };
  }

  /** Hundreds of tokens may arrive in a second, so the page is drawn at most once a frame. */
  #drawSoon(): void {
    const draw = () => this.#draw();
    // The browser gives a hidden tab no frames.
    this.#frame ??= document.hidden
      ? window.setTimeout(draw, HIDDEN_TAB_DRAW_MS)
      : requestAnimationFrame(draw);
  }

  #draw(): void {
    this.#frame = undefined;
    const events = this.#arrived;
    this.#arrived = [];
    if (events.length === 0) return;
    batch(() => {
      this.#state.value = foldEvents(this.#state.value, events, this.#arrival);
      if (this.#network.isCut) return;
      const isRunning = this.#state.value.status === 'running';
      this.#connection.value = { state: isRunning ? 'open' : 'ended' };
    });
    this.#arrival = 'live';
  }
}

function errorFrom(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
