/** The part of the client for readers' complaints about stored answers. Every call may be repeated. */
import type { ComplaintView } from '../../contracts/cached-entries.ts';

export interface ComplaintsClient {
  /** Questions that never get a stored answer again, the newest first. Needs the scope admin or any-user. */
  list(options?: {
    readonly limit?: number | undefined;
    readonly after?: string | undefined;
  }): Promise<{ readonly data: ComplaintView[]; readonly next: string | null }>;
  /** The question may get the stored answer again. Needs the scope admin. */
  lift(entryId: string, generationId: string): Promise<void>;
}

export function createComplaintsClient(
  call: <Answer>(request: { readonly method: 'GET' | 'DELETE'; readonly path: string }) => Promise<Answer>,
): ComplaintsClient {
  return {
    list: ({ limit, after } = {}) => {
      const query = new URLSearchParams();
      if (limit !== undefined) query.set('limit', String(limit));
      if (after !== undefined) query.set('after', after);
      return call({ method: 'GET', path: `/v1/cache/complaints?${query}` });
    },
    lift: async (entryId, generationId) => {
      const [entry, generation] = [entryId, generationId].map(encodeURIComponent);
      await call({ method: 'DELETE', path: `/v1/cache/entries/${entry}/complaints/${generation}` });
    },
  };
}
