/**
 * What the API has said of a generation comes true: it is cancelled, it is deleted, and no error blames what did not
 * happen.
 */
import type { Evidence, GenerationEvidence } from '../evidence.ts';
import type { LoadDone } from '../load.ts';
import { type Finding, finding } from './finding.ts';

/** An answer may become whole while its worker does not yet know of the cancel. */
const LATE_END_MS = 5_000;
/**
 * Ends that nothing in the matrix can be the cause of: Redis and the processes lose nothing that they have confirmed.
 */
const NEVER = new Set(['internal', 'log_tail_lost', 'input_lost']);

export function checkCancelled({ accepted, log }: GenerationEvidence): Finding[] {
  const { cancelledAtMs, id } = accepted;
  const last = log.at(-1);
  if (cancelledAtMs === null || last === undefined) return [];
  const lateMs = last.at - cancelledAtMs;
  const detail = `its cancel was accepted, and ${lateMs} ms later it ended as ${last.type}`;
  if (last.type === 'generation-error' && lateMs > 0)
    return [finding('uncancelled', id, `${detail} ${last.error.code}`)];
  if (last.type === 'generation-end' && lateMs > LATE_END_MS) return [finding('uncancelled', id, detail)];
  return [];
}

/** @param cached what the cache holds, one text for each stored answer. */
export function checkDeleted(
  { accepted, remains, expected }: Pick<GenerationEvidence, 'accepted' | 'remains' | 'expected'>,
  cached: Evidence['cached'],
): Finding[] {
  const { id, plan, deletedAtMs } = accepted;
  if (deletedAtMs === null) return [];
  const beginning = JSON.stringify(expected.text.slice(0, 60)).slice(1, -1);
  const found: Finding[] = [];
  if (remains.includes(plan.mark)) found.push(finding('undeleted', id, 'Redis holds its prompt'));
  if (remains.includes('text-delta')) found.push(finding('undeleted', id, 'Redis holds its text'));
  if (cached.some((answer) => answer.includes(plan.mark) || answer.includes(beginning)))
    found.push(finding('undeleted', id, 'the cache holds its answer'));
  return found;
}

export function checkReadAfterDelete({ readAfterDelete }: Pick<LoadDone, 'readAfterDelete'>): Finding[] {
  return readAfterDelete.map(({ id, what }) => finding('undeleted', id, `was deleted, and then ${what}`));
}

export function checkReasons({ accepted, log }: Pick<GenerationEvidence, 'accepted' | 'log'>): Finding[] {
  const last = log.at(-1);
  if (last?.type !== 'generation-error' || !NEVER.has(last.error.code)) return [];
  return [finding('unexplained', accepted.id, `${last.error.code}: ${last.error.message}`)];
}
