/** Each accepted generation has ended: in its log and as a run; and no attempt continued forever. */
import type { Evidence, GenerationEvidence } from '../evidence.ts';
import { TERMINAL } from './check-sequence.ts';
import { type Finding, finding } from './finding.ts';

const ERRORS_PER_CANDIDATE = 3;
const NO_FAULT_OF_THE_CANDIDATE = new Set(['attempt_interrupted', 'provider_response_lost']);

export function checkEnded({ accepted, log, run }: GenerationEvidence): Finding[] {
  const found: Finding[] = [];
  const last = log.at(-1);
  const isKept = accepted.deletedAtMs === null;
  if (isKept && (last === undefined || !TERMINAL.has(last.type)))
    found.push(finding('unended', accepted.id, `its log ends with ${last?.type ?? 'nothing'}`));
  // A deletion takes the history with it.
  const hasEnded = run === 'COMPLETED' || (!isKept && run === 'none');
  if (!hasEnded) found.push(finding('stuck', accepted.id, `its run is ${run}`));
  return found;
}

export function checkRuns({ openRuns }: Pick<Evidence, 'openRuns'>): Finding[] {
  return openRuns.map((id) => finding('stuck', id.split('/').at(-1) ?? id, `the run ${id} is open`));
}

/** @param interruptions how often its process can have been taken from an attempt. */
export function checkAttempts(
  { accepted, log }: Pick<GenerationEvidence, 'accepted' | 'log'>,
  interruptions: number,
): Finding[] {
  const found: Finding[] = [];
  const errors = new Map<string, number>();
  for (const event of log) {
    if (event.type !== 'provider-error' || NO_FAULT_OF_THE_CANDIDATE.has(event.code)) continue;
    const name = `${event.provider}/${event.model}`;
    errors.set(name, (errors.get(name) ?? 0) + 1);
  }
  for (const [name, count] of errors) {
    if (count > ERRORS_PER_CANDIDATE)
      found.push(
        finding('stuck', accepted.id, `${count} errors of ${name}, at most ${ERRORS_PER_CANDIDATE}`),
      );
  }
  const starts = log.filter(({ type }) => type === 'provider-start').length;
  const most = 2 * ERRORS_PER_CANDIDATE + interruptions;
  if (starts > most) found.push(finding('stuck', accepted.id, `${starts} attempts, at most ${most}`));
  return found;
}
