/**
 * The port to complaints: readers said that the answer to another question did not fit theirs. Such a pair of questions
 * is quarantined, and each complaint raises what is required of the entry's other look-ups.
 */
import { LIMITS } from '../../contracts/limits.ts';
import type { DeletedEntries } from './answer-cache.ts';

export interface Complaint {
  /** The generation that got the wrong answer. It complains once. */
  readonly generationId: string;
  /** The stored answer that it got. */
  readonly entryId: string;
  /** Who complained. */
  readonly user: string;
  /** Whose answer it was; null if the entry was gone. */
  readonly owner: string | null;
  /** Names the question that was asked; null if its generation did not record it. */
  readonly questionId: string | null;
  /** The user's turns of it, oldest first; null if they were no longer stored. */
  readonly questions: readonly string[] | null;
  /** The last turn of the question that the answer belongs to; null if the entry was gone. */
  readonly storedQuestion: string | null;
  /** Cosine of the two questions. */
  readonly similarity: number;
  readonly atMs: number;
}

/** The complaints about each entry that has any. */
export type ComplaintsByEntry = ReadonlyMap<string, readonly Complaint[]>;

export interface ComplaintReader {
  of(tenant: string, entryIds: readonly string[]): Promise<ComplaintsByEntry>;
}

export interface Complaints extends ComplaintReader {
  /** `known`: this generation has complained before. `full`: the entry has as many complaints as are kept. */
  add(tenant: string, complaint: Omit<Complaint, 'atMs'>): Promise<'added' | 'known' | 'full'>;
  /** The newest first. @returns `next`: the offset of the next page; null at the end. */
  list(
    tenant: string,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ readonly complaints: readonly Complaint[]; readonly next: number | null }>;
  /** @returns false if there is no such complaint. */
  lift(tenant: string, entryId: string, generationId: string): Promise<boolean>;
  /** Deletes the complaint of a generation. @returns false if it has made none */
  withdraw(tenant: string, generationId: string): Promise<boolean>;
  /** The generations whose complaints are by the user, or about the user's entries, and were made until then. */
  ofUser(tenant: string, user: string, untilMs: number): Promise<readonly string[]>;
  /** Those by the user and about the user's entries, of the generation, about the entry, or all of the tenant. */
  delete(entries: DeletedEntries): Promise<void>;
}

/**
 * The similarity that an entry requires of a question after complaints: each halves what is left up to 1. From 0.4
 * these are 0.7 and 0.85, and from the third complaint on no other words are similar enough.
 */
export function raisedSimilarity(least: number, complaints: number): number {
  if (complaints >= LIMITS.complaintsToSameWords) return Number.POSITIVE_INFINITY;
  return 1 - (1 - least) / 2 ** complaints;
}
