/** Deletes complaints together with the stored answers that they are about, and with those of the same user. */
import type { AnswerDeletion, DeletedEntries } from './answer-cache.ts';
import type { Complaints } from './complaints.ts';

export function deleteWithComplaints(
  answers: AnswerDeletion,
  complaints: Pick<Complaints, 'delete'>,
): AnswerDeletion {
  return {
    async delete(entries: DeletedEntries) {
      const deleted = await answers.delete(entries);
      // An answer that is deleted because it was wrong leaves the complaints about it: the next one has its id. And a
      // user who may delete only own entries has not deleted this one.
      const isWrong = 'storedUntilMs' in entries;
      const isOthers = 'entryId' in entries && entries.user !== undefined && deleted === 0;
      if (!isWrong && !isOthers) await complaints.delete(entries);
      return deleted;
    },
  };
}
