/**
 * Single flight: of generations that ask the same at the same time, one leads and calls the provider; the others follow
 * its log. Open flights are stored by question, only while they can be joined. The members that share the cost are
 * stored by leader, as long as one of them may owe a share.
 */
import type { CacheMatch } from '../../contracts/cache-mode.ts';
import type { Used } from '../../contracts/share.ts';
import type { CacheQuestion } from './answer-cache.ts';

export interface FlightRef {
  readonly partition: string;
  /** The question within the partition; SHA-256 in hex. */
  readonly key: string;
}

/** Whether others may follow this generation, and how sure a match it may follow. */
export interface FlightWishes {
  /** When it was asked, by the clock of Redis. */
  readonly askedAtMs: number;
  readonly mayLead: boolean;
  /** The share of false hits among close questions that the route accepts, from 0 to 1. */
  readonly acceptedFalseHits: number;
}

export type Joined =
  /** The generation calls the provider. Others may follow it now, if it may lead. */
  | { readonly role: 'alone' }
  | {
      readonly role: 'follow';
      readonly leader: string;
      readonly flight: FlightRef;
      readonly similarity: number;
      readonly matchedBy: CacheMatch;
      /** The model's estimate that both ask the same, from 0 to 1, if a model read them. */
      readonly probability?: number | undefined;
      /** The id that the leader's stored answer gets. */
      readonly entryId: string;
      /** The id that a stored answer to the follower's own question has. */
      readonly questionId: string;
    };

/** What a follower owes when it stops following. */
export type Debt =
  /** It was never counted, or is no longer counted: it pays nothing. */
  | { readonly state: 'none' }
  /** It was counted, but the leader's log has no end yet: ask again. */
  | { readonly state: 'pending' }
  /** It was counted and pays `share`, as each of the `by - 1` others does. */
  | { readonly state: 'owed'; readonly by: number; readonly share: Used };

/** The generations that share the cost of a leader's answer. */
export interface FlightMembers {
  /**
   * Counts a follower as a member. The follower's own log must have noted this first: a member that no log knows would
   * never pay. A repeated call answers the same.
   * @returns false if the leader's answer is already whole: the follower takes it as from the cache.
   */
  enter(leader: string, generationId: string): Promise<boolean>;
  /** A follower stops following. Once its share is fixed, it stays counted, however often this is called. */
  leave(leader: string, generationId: string): Promise<Debt>;
  /** The follower's own log has its end with its share: the membership is no longer needed. */
  discharge(leader: string, generationId: string): Promise<void>;
}

/** A leader whose answer is whole, and what the call behind it used. */
export interface WholeAnswer {
  readonly generationId: string;
  /** Of the leader's writer. A writer that has lost its log to another one, even of the same epoch, fixes no shares. */
  readonly opener: string;
  readonly used: Used;
}

export interface Flights extends FlightMembers {
  /** Finds a leader to follow, or makes this generation one. Only `enter` counts a follower. */
  join(question: CacheQuestion, generationId: string, wishes: FlightWishes): Promise<Joined>;
  /**
   * Fixes the members that share the cost, before the leader's end is written. If a later attempt of the leader repeats
   * it, it counts the members that are left.
   * @returns how many share, the leader included; 1 without followers.
   */
  close(question: CacheQuestion, answer: WholeAnswer): Promise<number>;
  /** The leader's answer is stored: one that is asked from now on must look it up there. */
  forget(question: CacheQuestion, generationId: string): Promise<void>;
  /** The leader has failed or fallen silent: no other generation may join it. */
  dissolve(flight: FlightRef, leader: string): Promise<void>;
}
