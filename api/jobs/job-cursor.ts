/**
 * The cursor of a job's stream: the last seq of the job, and the last seq of each generation that is open there. A
 * generation is named by the seq of its `generation-open`: `12~9:41~10:7`. What a reader has got is exactly this.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';

export interface JobCursor {
  /** -1: nothing yet. */
  readonly after: number;
  readonly generations: ReadonlyMap<number, number>;
}

/** @throws cursor_invalid */
export function parseJobCursor(text: unknown): JobCursor {
  if (text === undefined || text === '' || text === '-1') return { after: -1, generations: new Map() };
  if (typeof text !== 'string' || !/^\d{1,9}(?:~\d{1,9}:\d{1,15})*$/.test(text)) throw invalid();
  const [after = '', ...parts] = text.split('~');
  if (parts.length > LIMITS.parallelPerJob) throw invalid();
  const generations = parts.map((part): [number, number] => {
    const [open, seq] = part.split(':');
    return [Number(open), Number(seq)];
  });
  return { after: Number(after), generations: new Map(generations) };
}

export function writeJobCursor({ after, generations }: JobCursor): string {
  // One of which nothing was sent is found among the job's events.
  const begun = [...generations].filter(([, seq]) => seq >= 0);
  return [String(after), ...begun.map(([open, seq]) => `${open}:${seq}`)].join('~');
}

function invalid(): UnbrokenError {
  return new UnbrokenError(
    'cursor_invalid',
    'The cursor is not one of a job: send back the `cursor` of an event.',
  );
}
