/**
 * What usage statistics count of a generation, kept beside its log like its view: its times by the clock of the log,
 * and the calls that failed. Otherwise each settlement would read a whole log.
 */
import type { EventBody } from '../../contracts/events.ts';
import type { Candidate } from '../../contracts/generation.ts';

const FAILURE = 'failure:';

export interface LogFacts {
  readonly createdAtMs: number;
  /** When readers got the first text; null if there was none. */
  readonly firstTextAtMs: number | null;
  readonly endedAtMs: number | null;
  /** The last model that was called; null if none was. */
  readonly lastCalled: Candidate | null;
  /** One for each attempt and error code. */
  readonly failures: readonly (Candidate & { readonly code: string })[];
}

/** The fields of the log's hash that these events add; `firstTextAt` is set by the append itself. */
export function logFactFields(events: readonly EventBody[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const event of events) {
    if (event.type === 'provider-start') fields['called'] = JSON.stringify([event.provider, event.model]);
    if (event.type !== 'provider-error') continue;
    fields[`${FAILURE}${event.attempt}:${event.code}`] = JSON.stringify([event.provider, event.model]);
  }
  return fields;
}

/** @returns null if there is no log. */
export function parseLogFacts(stored: Readonly<Record<string, string>>): LogFacts | null {
  const { createdAt, firstTextAt, endedAt, called } = stored;
  if (createdAt === undefined) return null;
  const failures = Object.entries(stored).flatMap(([name, candidate]) =>
    name.startsWith(FAILURE)
      ? [{ ...readCandidate(candidate), code: name.slice(name.indexOf(':', FAILURE.length) + 1) }]
      : [],
  );
  return {
    createdAtMs: Number(createdAt),
    firstTextAtMs: firstTextAt === undefined ? null : Number(firstTextAt),
    endedAtMs: endedAt === undefined ? null : Number(endedAt),
    lastCalled: called === undefined ? null : readCandidate(called),
    failures,
  };
}

function readCandidate(json: string): Candidate {
  const [provider, model]: [string, string] = JSON.parse(json);
  return { provider, model };
}
