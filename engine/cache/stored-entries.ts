/** The port to stored answers for the people who manage them. A look-up of the cache itself: `answer-cache.ts`. */
import type { CachedEntry, WholeCachedEntry } from '../../contracts/cached-entries.ts';

/** Complaints are stored elsewhere. */
export type StoredEntry = Omit<CachedEntry, 'complaints'>;
export type WholeStoredEntry = Omit<WholeCachedEntry, 'complaints' | 'quarantined'>;

/** Whose entries: of the tenant, and of one user if it is set. */
export interface EntryOwner {
  readonly tenant: string;
  readonly user: string | undefined;
}

export interface EntrySearch extends EntryOwner {
  readonly model: { readonly provider: string; readonly model: string } | undefined;
  readonly limit: number;
}

export interface StoredEntries {
  /** The newest first. @throws invalid_request for a cursor that is none */
  list(
    search: EntrySearch,
    after: string | undefined,
  ): Promise<{ readonly data: readonly StoredEntry[]; readonly next: string | null }>;
  /** The most similar questions and answers first, of the newest `LIMITS.searchedEntries`. */
  searchText(search: EntrySearch, text: string): Promise<readonly StoredEntry[]>;
  /** Entries with similar questions; null if there is no such entry. */
  searchLike(search: EntrySearch, id: string): Promise<readonly StoredEntry[] | null>;
  /** null if the owner has none with this id. */
  read(owner: EntryOwner, id: string): Promise<WholeStoredEntry | null>;
}
