/** The period that the page shows, in days of UTC, as the roll-ups are kept. */
import { DAY_MS, dayOf } from '../../../../../contracts/time.ts';
export interface Period {
  readonly from: string;
  readonly until: string;
}

/** The longest period that the API reads at once. */
const MOST_DAYS = 400;
/** Hours are kept for as many days. */
const HOURLY_DAYS = 8;

export const PRESETS = {
  today: { name: 'Today', of: (today) => ({ from: today, until: today }) },
  week: { name: 'Last 7 days', of: (today) => lastDays(today, 7) },
  month: { name: 'Last 30 days', of: (today) => lastDays(today, 30) },
  quarter: { name: 'Last 90 days', of: (today) => lastDays(today, 90) },
  year: { name: 'Last 365 days', of: (today) => lastDays(today, 365) },
  thisMonth: { name: 'This month', of: (today) => ({ from: `${today.slice(0, 7)}-01`, until: today }) },
  lastMonth: { name: 'Last month', of: monthBefore },
} as const satisfies Readonly<Record<string, { name: string; of: (today: string) => Period }>>;
export type Preset = keyof typeof PRESETS;

function daysIn({ from, until }: Period): number {
  return Math.round((Date.parse(until) - Date.parse(from)) / DAY_MS) + 1;
}

/** A single recent day is shown hour by hour. */
export function canShowHours(period: Period, today: string): boolean {
  return daysIn(period) === 1 && daysIn({ from: period.from, until: today }) <= HOURLY_DAYS;
}

/** null if the period can be shown. */
export function faultOf({ from, until }: Period, today: string): string | null {
  if (Number.isNaN(Date.parse(from)) || Number.isNaN(Date.parse(until))) return 'Choose both days.';
  if (from > until) return 'The first day must not be after the last one.';
  if (until > today) return 'The last day must not be in the future.';
  if (daysIn({ from, until }) > MOST_DAYS) return `A period has at most ${MOST_DAYS} days.`;
  return null;
}

const dayOfYear = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' });
const dayWithYear = new Intl.DateTimeFormat('en', {
  month: 'short',
  day: 'numeric',
  year: 'numeric',
  timeZone: 'UTC',
});
const hour = new Intl.DateTimeFormat('en', {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
});

/** Labels of buckets, each of which occurs once: with the year only where the period spans two. */
export function labelOf(atMs: number, each: 'day' | 'hour', period: Period): string {
  if (each === 'hour') return hour.format(atMs);
  const spansYears = period.from.slice(0, 4) !== period.until.slice(0, 4);
  return (spansYears ? dayWithYear : dayOfYear).format(atMs);
}

function lastDays(today: string, days: number): Period {
  return { from: dayOf(Date.parse(today) - (days - 1) * DAY_MS), until: today };
}

function monthBefore(today: string): Period {
  const until = dayOf(Date.parse(`${today.slice(0, 7)}-01`) - DAY_MS);
  return { from: `${until.slice(0, 7)}-01`, until };
}
