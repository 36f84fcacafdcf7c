/** A reader as users have one: the TypeScript client, which follows a generation through any disconnect. */
import { followGeneration } from '../../clients/typescript/follow-generation.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import type { UnbrokenApi } from './unbroken-api.ts';
import { waitFor } from './wait-for.ts';

export interface Reading {
  readonly id: string;
  /** What it has so far, in the order in which it came. */
  readonly events: readonly GenerationEvent[];
  /** When each event came, ms since 1970. */
  readonly receivedAtMs: readonly number[];
  /** All events, once the terminal one has come. */
  readonly whole: Promise<readonly GenerationEvent[]>;
  /** Resolves when at least so many text deltas have come. */
  deltas(count: number): Promise<void>;
  text(): string;
}

export function startReading(api: UnbrokenApi, id: string): Reading {
  const events: GenerationEvent[] = [];
  const receivedAtMs: number[] = [];
  const read = async () => {
    for await (const event of followGeneration({ baseUrl: api.url, apiKey: api.key, generationId: id })) {
      events.push(event);
      receivedAtMs.push(Date.now());
    }
    return events;
  };
  const whole = read();
  // A test that awaits `whole` sees the error; until then it must not end the process.
  whole.catch(() => undefined);
  return {
    id,
    events,
    receivedAtMs,
    whole,
    deltas: async (count) => {
      await waitFor(`${count} text deltas of ${id}`, () => deltasOf(events) >= count);
    },
    text: () => textOf(events),
  };
}

/** Deltas that the events cover: one that was coalesced for a reader who was behind stands for several. */
export function deltasOf(events: readonly GenerationEvent[]): number {
  return events
    .filter((event) => event.type === 'text-delta')
    .reduce((sum, event) => sum + event.seq - (event.from ?? event.seq) + 1, 0);
}
