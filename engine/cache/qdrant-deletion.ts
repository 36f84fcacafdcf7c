/**
 * Deletes stored answers in every collection: each embedder has its own, and answers from before a change of the
 * embedder must be deleted too.
 */
import type { AnswerDeletion } from './answer-cache.ts';
import { connectQdrant, type QdrantPlace } from './connect-qdrant.ts';
import { COLLECTION_PREFIX, ORDERING, orNone } from './qdrant-answers.ts';

interface DeletingQdrant extends QdrantPlace {
  /** How long each call may take. A deletion waits its turn behind what others write. */
  readonly deleteMs: number;
}

export function createQdrantDeletion({ deleteMs, ...place }: DeletingQdrant): AnswerDeletion {
  const client = connectQdrant(place, { timeoutMs: deleteMs });
  return {
    async delete(entries) {
      const must = [
        { key: 'tenant', match: { value: entries.tenant } },
        ...('user' in entries && entries.user !== undefined
          ? [{ key: 'user', match: { value: entries.user } }]
          : []),
        ...('generationId' in entries ? [{ key: 'generation', match: { value: entries.generationId } }] : []),
        ...('entryId' in entries ? [{ has_id: [entries.entryId] }] : []),
        ...('storedUntilMs' in entries && entries.storedUntilMs !== undefined
          ? [{ key: 'storedAtMs', range: { lte: entries.storedUntilMs } }]
          : []),
      ];
      const { collections } = await client.getCollections();
      let deleted = 0;
      for (const { name } of collections.filter((collection) =>
        collection.name.startsWith(COLLECTION_PREFIX),
      )) {
        // One that was dropped since the list was made has nothing left to delete.
        const { count } = await orNone(client.count(name, { filter: { must }, exact: true }), { count: 0 });
        // Even for a count of 0: in a cluster, the copy that counts may not have what another one has.
        await orNone<unknown>(
          client.delete(name, { wait: true, ordering: ORDERING, filter: { must } }),
          null,
        );
        deleted += count;
      }
      return deleted;
    },
  };
}
