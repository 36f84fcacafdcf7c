/** Every tick of a schedule has one run in Temporal, which has started one generation; no other was charged. */
import { type Fault, fault } from './fault.ts';

interface TickEvidence {
  /** Who alone pays for it. */
  readonly user: string;
  /** Ticks that must have run, ms since 1970. */
  readonly due: readonly number[];
  /** Ticks that may have run: those of the moment when the schedule was created. */
  readonly possible: readonly number[];
  /** The time in the id of each of its runs in Temporal; a time twice is two runs. */
  readonly runs: readonly number[];
  /** Generations of its user: their runs in Temporal, and those in the ledger. */
  readonly started: readonly string[];
  readonly charged: readonly string[];
}

export function checkTicks({ user, due, possible, runs, started, charged }: TickEvidence): Fault[] {
  const counts = Map.groupBy(runs, (at) => at);
  const known = new Set([...due, ...possible]);
  const missed = due.filter((at) => !counts.has(at));
  const doubled = [...counts].filter(([at, same]) => same.length > 1 || !known.has(at));
  const generations = new Set([...started, ...charged]);
  const faults = [
    ...missed.map((at) => fault('missed_tick', user, new Date(at).toISOString())),
    ...doubled.map(([at, same]) =>
      fault('doubled_tick', user, `${new Date(at).toISOString()} has ${same.length} runs`),
    ),
  ];
  if (generations.size === counts.size) return faults;
  const wrong = generations.size < counts.size ? 'missed_tick' : 'doubled_tick';
  return [
    ...faults,
    fault(wrong, user, `${counts.size} ticks ran, and started ${generations.size} generations`),
  ];
}

/** The multiples of an interval after `from`, up to `until`. */
export function ticksBetween(everyMs: number, from: number, until: number): number[] {
  const first = Math.floor(from / everyMs) + 1;
  const last = Math.floor(until / everyMs);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * everyMs);
}
