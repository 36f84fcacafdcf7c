/** A schedule in words. */
import type { ScheduleView } from '../../../../../contracts/schedules.ts';
import { shortId } from '../../format.ts';

export function nameOf({ description, id }: Pick<ScheduleView, 'description' | 'id'>): string {
  return description ?? shortId(id);
}

const UNITS = [
  { ms: 86_400_000, one: 'day' },
  { ms: 3_600_000, one: 'hour' },
  { ms: 60_000, one: 'minute' },
  { ms: 1_000, one: 'second' },
] as const;

/** `every 5 minutes`: in the largest unit that divides it. */
export function intervalOf(ms: number): string {
  const unit = UNITS.find((candidate) => ms % candidate.ms === 0);
  if (unit === undefined) return `every ${ms} ms`;
  const count = ms / unit.ms;
  return count === 1 ? `every ${unit.one}` : `every ${count} ${unit.one}s`;
}

export function timesOf({ times }: Pick<ScheduleView, 'times'>): string {
  const { cron = [], everyMs, timeZone } = times;
  const all = [...cron, ...(everyMs === undefined ? [] : [intervalOf(everyMs)])].join(', ');
  return timeZone === undefined ? all : `${all} (${timeZone})`;
}
