/** A generation that the API accepted, and what the matrix did to it. */
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { Message } from '../../../contracts/generation.ts';
import type { PlannedRequest } from './plan.ts';

export interface Accepted {
  readonly plan: PlannedRequest;
  readonly id: string;
  readonly acceptedAtMs: number;
  /** The conversation that the provider is asked. */
  readonly messages: readonly Message[];
  /** The names of those who follow it. */
  readonly readers: readonly string[];
  /** When its cancel was accepted, while it ran. */
  cancelledAtMs: number | null;
  /** When the API said that it was deleted. */
  deletedAtMs: number | null;
  /** Its log, where that expired before the end of the run: its id has a second life. */
  expiredLog: readonly GenerationEvent[] | null;
}
