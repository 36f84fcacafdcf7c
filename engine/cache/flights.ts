/**
 * Single flight: of generations that ask the same at the same time, one leads and calls the provider; the others
 * follow its log. What can be joined is kept by question, and only while it can be joined. Who shares the cost is kept
 * by leader, for as long as anyone may owe a share.
 */
import type { Used } from '../../contracts/share.ts';
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
    };

/** What a follower owes that stops following. */
export type Debt =
  /** It was not counted, and is not counted any more: it pays nothing. */
  | { readonly state: 'none' }
  /** It was counted, but the leader's end is not in the leader's log yet: ask again. */
  | { readonly state: 'pending' }
  /** It was counted, and pays `share`; so do the `by - 1` others. */
  | { readonly state: 'owed'; readonly by: number; readonly share: Used };

/** Who shares the cost of a leader's answer. */
export interface FlightMembers {
  /**
   * Counts a follower among those who share. Its own log must have a note of it first: a member that no log knows would
   * never pay. Repeated it answers the same.
   * @returns false where the leader's answer is whole already: the follower takes it as from the cache.
   */
  enter(leader: string, generationId: string): Promise<boolean>;
  /** A follower stops following. One that was counted stays counted, however often this is called. */
  leave(leader: string, generationId: string): Promise<Debt>;
  /** The follower's end, with its share, is in its own log: nothing needs to be known of it any more. */
  discharge(leader: string, generationId: string): Promise<void>;
}

/** The leader whose answer is whole, and what the call that made it used. */
export interface WholeAnswer {
  readonly generationId: string;
  /** Of the leader's writer: one that has lost its log to another, also of the same epoch, fixes no shares. */
  readonly opener: string;
  readonly used: Used;
}

export interface Flights extends FlightMembers {
  /** Finds a leader to follow, or makes this generation one. It counts nobody: `enter` does. */
  join(question: CacheQuestion, generationId: string, wishes: FlightWishes): Promise<Joined>;
  /**
   * Fixes who shares the cost, before the leader's end is written. Repeated by a later attempt of the leader it counts
   * those who are still there.
   * @returns how many share, the leader included; 1 where nobody follows.
   */
  close(question: CacheQuestion, answer: WholeAnswer): Promise<number>;
  /** The leader's answer is stored: who comes now looks it up, and must find what became of it there. */
  forget(question: CacheQuestion, generationId: string): Promise<void>;
  /** The leader has failed or fallen silent: no other generation may join it. */
  dissolve(flight: FlightRef, leader: string): Promise<void>;
}
