/**
 * A log in pages of a fixed number of events. A whole page never changes, so a relay at the edge may cache it. The
 * events of a page are never merged, so every cursor within it is valid.
 */
import type { GenerationEvent } from './events.ts';
import type { GenerationStatus } from './generation.ts';

export const EVENTS_PER_PAGE = 256;

export interface LogPage {
  readonly page: number;
  readonly events: readonly GenerationEvent[];
  /** True if nothing will be added: the page is full, or the log ends within it. */
  readonly whole: boolean;
}

/** Status and tenant of a log: what a relay must know before it may show the log to a caller. */
export interface LogStanding {
  readonly id: string;
  readonly tenant: string;
  readonly status: GenerationStatus;
  /** The seq that the next event gets; the final count of events once the log has ended. */
  readonly nextSeq: number;
  /** The last seq whose event Redis lost, and which another event may bear now; absent if no loss is known. */
  readonly tornUntil?: number;
}

export function pageOf(seq: number): number {
  return Math.floor(seq / EVENTS_PER_PAGE);
}
