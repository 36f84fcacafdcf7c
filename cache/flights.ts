/**
 * Single flight: of generations that ask the same at the same time, one leads and calls the provider; the others
 * follow its log. A flight is open until its leader's answer is whole; then it is closed, and how many share the cost
 * is settled for good.
 */
import type { CacheQuestion } from './answer-cache.ts';

export interface FlightRef {
  readonly partition: string;
  /** Which question of the partition; SHA-256 in hex. */
  readonly key: string;
}

/** May this generation be followed by others, and may it follow? */
export interface FlightWishes {
  readonly mayLead: boolean;
  readonly threshold: number;
}

export type Joined =
  /** Others may follow this generation now, or nobody can: it calls the provider either way. */
  | { readonly role: 'alone' }
  | {
      readonly role: 'follow';
      readonly leader: string;
      readonly flight: FlightRef;
      readonly similarity: number;
      /** False for one who came after the flight was closed: it takes what is there, as from the cache. */
      readonly shares: boolean;
    };

export interface Flights {
  /** Repeated for the same generation it gives the same role. */
  join(question: CacheQuestion, generationId: string, wishes: FlightWishes): Promise<Joined>;
  /**
   * The leader's answer is whole. @returns how many generations share its cost, the leader included; 1 where nobody
   * followed, and for a generation that leads no flight.
   */
  close(question: CacheQuestion, generationId: string): Promise<number>;
  /** The leader's answer is stored: who comes now looks it up, and must find what became of it there. */
  forget(question: CacheQuestion, generationId: string): Promise<void>;
  /** A follower goes. @returns whether it owes its share, because the flight was closed before. */
  leave(flight: FlightRef, generationId: string): Promise<boolean>;
  /** The leader has failed or fallen silent: nobody shall join it any more. */
  dissolve(flight: FlightRef, leader: string): Promise<void>;
}
