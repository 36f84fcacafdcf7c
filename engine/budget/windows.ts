/**
 * Windows in time. A calendar window is one bucket from the start of its day or month in its time zone, daylight saving
 * included. A rolling window is many small buckets; its balance is the sum of those that it touches, so it counts up to
 * one bucket too much and never too little.
 */
import { Temporal } from 'temporal-polyfill';
import { LONGEST_WINDOW_MS, rollingMs } from '../../contracts/budgets.ts';
import { DAY_MS } from '../../contracts/time.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';

/** A kind of window: `day[Europe/Berlin]`, `month[UTC]`, `24h`. */
export type WindowId = string;

const BUCKETS_PER_WINDOW = 48;
/** How long closed calendar periods stay readable; their entries are kept longer. */
const KEEP_CLOSED_MS = LONGEST_WINDOW_MS + 4 * DAY_MS;

/** The buckets of a window at a moment. A bucket is named by its first ms. */
interface Span {
  readonly id: WindowId;
  /** The bucket of the moment. */
  readonly at: number;
  /** Buckets that are summed: `first`, `first + stepMs`, ... `last`. */
  readonly first: number;
  readonly last: number;
  readonly stepMs: number;
  /** Buckets before this are no longer needed. */
  readonly keepFrom: number;
}

export function windowId(window: string, timeZone: string): WindowId {
  return rollingMs(window) === null ? `${window}[${timeZone}]` : window;
}

/** @param bookedAtMs the moment that is booked on, if it is not now: all buckets from its window to now are summed. */
export function spanOf(id: WindowId, nowMs: number, bookedAtMs = nowMs): Span {
  const lengthMs = rollingMs(id);
  if (lengthMs === null) {
    const at = periodOf(id, bookedAtMs).from;
    return { id, at, first: at, last: at, stepMs: DAY_MS, keepFrom: nowMs - KEEP_CLOSED_MS };
  }
  const stepMs = Math.ceil(lengthMs / BUCKETS_PER_WINDOW);
  const bucketOf = (ms: number) => Math.floor(ms / stepMs) * stepMs;
  return {
    id,
    at: bucketOf(bookedAtMs),
    first: bucketOf(Math.min(bookedAtMs, nowMs) - lengthMs),
    // One more bucket, because another machine's clock may be a little ahead.
    last: bucketOf(Math.max(bookedAtMs, nowMs)) + stepMs,
    stepMs,
    keepFrom: bucketOf(nowMs - 2 * lengthMs),
  };
}

/** The last period of each calendar window, which contains nearly every requested moment. */
const PERIODS_REMEMBERED = 1_000;
const lastPeriods = new BoundedMap<WindowId, Period>(PERIODS_REMEMBERED);

interface Period {
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

/** The time that a bucket covers. */
export function periodOf(id: WindowId, atMs: number): Period {
  const lengthMs = rollingMs(id);
  if (lengthMs !== null) {
    const stepMs = Math.ceil(lengthMs / BUCKETS_PER_WINDOW);
    const from = Math.floor(atMs / stepMs) * stepMs;
    return { from, until: from + stepMs };
  }
  const last = lastPeriods.get(id);
  if (last !== undefined && last.from <= atMs && atMs < last.until) return last;
  const period = calendarPeriod(id, atMs);
  lastPeriods.set(id, period);
  return period;
}

function calendarPeriod(id: WindowId, atMs: number): Period {
  const [, kind, timeZone] = /^(day|month)\[(.+)\]$/.exec(id) ?? [];
  if (kind === undefined || timeZone === undefined) throw new RangeError(`"${id}" is no window`);
  const moment = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  const day = moment.toPlainDate();
  const first = kind === 'month' ? day.with({ day: 1 }) : day;
  const next = first.add(kind === 'month' ? { months: 1 } : { days: 1 });
  const startOf = (date: Temporal.PlainDate) => date.toZonedDateTime(timeZone).epochMilliseconds;
  return { from: startOf(first), until: startOf(next) };
}

/** The earliest bucket that a window, or a report of the last periods, still needs. No such bucket is dropped. */
export function neededFrom(id: WindowId, nowMs: number): number {
  return rollingMs(id) === null ? nowMs - LONGEST_WINDOW_MS - 2 * DAY_MS : spanOf(id, nowMs).first;
}

/** When a budget has room again: at the end of the period, or when its oldest used bucket leaves the rolling window. */
export function resetOf(id: WindowId, nowMs: number, oldestUsed: number | null): number {
  const lengthMs = rollingMs(id);
  if (lengthMs === null) return periodOf(id, nowMs).until;
  return periodOf(id, oldestUsed ?? nowMs).until + lengthMs;
}
