/** Erases a user's stored answers in every collection: each embedder has its own. */
import { z } from 'zod';
import type { UserAnswers } from './answer-cache.ts';
import { connectQdrant, type QdrantPlace } from './connect-qdrant.ts';
import { COLLECTION_PREFIX, ORDERING } from './qdrant-answers.ts';

const TIMEOUT_MS = 10_000;
const ERASED_AT_ONCE = 256;

const payloadSchema = z.object({ generation: z.string() });

export function createQdrantErasure(place: QdrantPlace): UserAnswers {
  const client = connectQdrant(place, { timeoutMs: TIMEOUT_MS });
  return {
    async erase({ tenant, user, untilMs }, onFound) {
      const must = [
        { key: 'tenant', match: { value: tenant } },
        { key: 'user', match: { value: user } },
        { key: 'storedAtMs', range: { lte: untilMs } },
      ];
      const { collections } = await client.getCollections();
      const names = collections.map(({ name }) => name).filter((name) => name.startsWith(COLLECTION_PREFIX));
      let erased = 0;
      for (const name of names) {
        for (;;) {
          const page = { filter: { must }, limit: ERASED_AT_ONCE, with_payload: ['generation'] };
          const { points } = await client.scroll(name, page);
          if (points.length === 0) break;
          // By its generation, which may have been found as well.
          await onFound(
            points.map(({ id, payload }) => payloadSchema.safeParse(payload).data?.generation ?? String(id)),
          );
          erased += points.length;
          await client.delete(name, { wait: true, ordering: ORDERING, points: points.map(({ id }) => id) });
        }
        // In a cluster, the copy that was read may not have what another one has.
        await client.delete(name, { wait: true, ordering: ORDERING, filter: { must } });
      }
      return erased;
    },
  };
}
