/** The first event of a log, the fields of its hash, and its status. */
import type { EventBody } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import type { GenerationStatus } from '../../contracts/generation.ts';
import type { LogCreation } from './event-log.ts';
import { logFactFields } from './log-facts.ts';
import { logViewFields } from './log-view.ts';

export function startOf({ generationId, route, user, input: { prompt } }: LogCreation): EventBody {
  return {
    type: 'generation-start',
    generationId,
    route,
    user,
    ...(prompt === undefined ? {} : { prompt: { name: prompt.name, version: prompt.version } }),
  };
}

/** What the hash gets when the log is created. */
export function creationFields(
  { tenant, user, route, requestHash, metadata, counted, keptMs, isUnique, origin }: LogCreation,
  events: readonly EventBody[],
): Record<string, string> {
  return {
    tenant,
    user,
    route,
    requestHash,
    metadata: JSON.stringify(metadata),
    ...appendFields(events),
    ...(counted === undefined
      ? {}
      : { inputBytes: String(counted.bytes), inputUntilHour: String(counted.untilHour) }),
    ...(keptMs === undefined ? {} : { keptMs: String(keptMs) }),
    ...(isUnique === true ? { unique: '1' } : {}),
    ...(origin === undefined ? {} : { origin: JSON.stringify(origin) }),
  };
}

/** What these events change in the hash. */
export function appendFields(events: readonly EventBody[]): Record<string, string> {
  return { ...logViewFields(events), ...logFactFields(events) };
}

/** The status of a log after these events; null while it runs. */
export function statusAfter(events: readonly EventBody[]): GenerationStatus | null {
  const last = events.at(-1);
  if (last === undefined || !isTerminal(last)) return null;
  if (last.type === 'generation-end') return 'completed';
  return last.type === 'generation-cancel' ? 'cancelled' : 'failed';
}

/** Whether an append of these events changes more than the log and its length. */
export function changesHead(events: readonly EventBody[]): boolean {
  return statusAfter(events) !== null || Object.keys(appendFields(events)).length > 0;
}
