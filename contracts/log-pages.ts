/**
 * A log in pages of a fixed number of events. A page that is whole never changes, so whoever has read it may keep it.
 * The events of a page are never merged: each cursor within it is good.
 */
import type { GenerationEvent } from './events.ts';
import type { GenerationStatus } from './generation.ts';

export const EVENTS_PER_PAGE = 256;

export interface LogPage {
  readonly page: number;
  readonly events: readonly GenerationEvent[];
  /** Whether nothing will be added: the page is full, or the log has ended within it. */
  readonly whole: boolean;
}

/** How a log stands, and whose it is: what a relay must know before it may show it to a caller. */
export interface LogStanding {
  readonly id: string;
  readonly tenant: string;
  readonly status: GenerationStatus;
  /** The seq that the next event gets; the final count of events once the log has ended. */
  readonly nextSeq: number;
  /** The last number whose event Redis lost, and which may bear another one now; absent where none is known to be lost. */
  readonly tornUntil?: number;
}

export function pageOf(seq: number): number {
  return Math.floor(seq / EVENTS_PER_PAGE);
}
