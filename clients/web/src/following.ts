/** Follows one generation for as long as it is shown, and says how the connection stands. */
import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { followGeneration, type GenerationEvent } from '../../typescript/index.ts';
import { createLine } from './network-switch.ts';
import { type Arrival, emptyReading, fold, type Reading } from './reading.ts';
import { baseUrl, key } from './session.ts';

export type Connection =
  | { readonly state: 'connecting' | 'open' | 'ended' }
  /** The line was cut by the button. */
  | { readonly state: 'cut'; readonly after: number }
  /** The connection broke, and the client tries again by itself. */
  | { readonly state: 'lost'; readonly after: number; readonly reason: string }
  | { readonly state: 'refused'; readonly error: Error };

export interface Following {
  readonly reading: ReadonlySignal<Reading>;
  readonly connection: ReadonlySignal<Connection>;
  /** The cursors at which the connection broke or was cut. */
  readonly breaks: ReadonlySignal<readonly number[]>;
  cut(): void;
  join(): void;
  stop(): void;
}

export function follow(generationId: string): Following {
  const reading = signal(emptyReading(generationId));
  const connection = signal<Connection>({ state: 'connecting' });
  const breaks = signal<readonly number[]>([]);
  const line = createLine();
  const stopped = new AbortController();
  let arrived: GenerationEvent[] = [];
  let arrival: Arrival = 'caught-up';
  let frame: number | undefined;

  // Tokens may come by the hundred in a second; the page is drawn once a frame.
  const draw = () => {
    frame = undefined;
    const events = arrived;
    arrived = [];
    if (events.length === 0) return;
    batch(() => {
      reading.value = fold(reading.value, events, arrival);
      if (!line.isCut) connection.value = { state: reading.value.status === 'running' ? 'open' : 'ended' };
    });
    arrival = 'live';
  };
  const drawSoon = () => {
    // A hidden tab has no frames.
    frame ??= document.hidden ? window.setTimeout(draw, 100) : requestAnimationFrame(draw);
  };

  const broken = (after: number) => {
    draw();
    arrival = 'caught-up';
    if (breaks.value.at(-1) !== after) breaks.value = [...breaks.value, after];
  };

  const run = async () => {
    const events = followGeneration({
      baseUrl: baseUrl(),
      apiKey: key.value ?? undefined,
      generationId,
      fetch: line.fetch,
      signal: stopped.signal,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      onReconnect: ({ cause, after }) => {
        broken(after);
        const reason = cause instanceof Error ? cause.message : String(cause);
        connection.value = line.isCut ? { state: 'cut', after } : { state: 'lost', after, reason };
      },
    });
    for await (const event of events) {
      arrived.push(event);
      drawSoon();
    }
    draw();
    connection.value = { state: 'ended' };
  };
  run().catch((error: unknown) => {
    if (stopped.signal.aborted) return;
    draw();
    connection.value = { state: 'refused', error: error instanceof Error ? error : new Error(String(error)) };
  });

  return {
    reading,
    connection,
    breaks,
    cut: () => {
      line.cut();
      connection.value = { state: 'cut', after: reading.value.lastSeq };
    },
    join: () => {
      line.join();
      connection.value = { state: 'connecting' };
    },
    stop: () => {
      stopped.abort();
      if (frame !== undefined) cancelAnimationFrame(frame);
    },
  };
}
