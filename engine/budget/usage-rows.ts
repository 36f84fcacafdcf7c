/**
 * The rows of the usage statistics in Redis. A field is a list of names; the first says what the row counts:
 * - `s`, team, model, prompt: sums (`SUMS`); in the hash with users, then user and key
 * - `f` or `t`, model, bucket: how many answers had their first text, or their end, after that time (`bucketOf`)
 * - `e`, model, code: failed calls; without a model, generations that ended with that error
 * In the hash of hours, the hour (00 to 23) comes before them. An empty name stands for none.
 */
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS, dayOf } from '../../contracts/time.ts';
import { bucketOf } from '../../platform/quantile-sketch.ts';
import type { CountedGeneration } from './ledger.ts';

/** No name has it. */
export const SEPARATOR = '\t';
/** Stands for all names that came after the hash was full. */
export const OTHER = '~';

/** What the numbers of a row are, in their order. */
const SUMS = [
  'generations',
  'completed',
  'failed',
  'cancelled',
  'cacheHits',
  'costMicroUsd',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'savedTokens',
  'savedMicroUsd',
] as const;

/** The hashes of a day (UTC): sums without users, sums with users, sums of each hour. */
export function usageKeys(tenant: string, day: string): readonly [day: string, users: string, hours: string] {
  const key = (part: string) => REDIS_KEYS.budget(tenant, 'usage', part, day);
  return [key('day'), key('users'), key('hours')];
}

/** Where a step that books at a moment adds its sums, and for how long they are kept. */
export function rollUpAt(bookedAtMs: number, keepMs: number, prompt: string | undefined) {
  const day = dayOf(bookedAtMs);
  const endsAtMs = Date.parse(day) + DAY_MS;
  return {
    prompt: prompt ?? '',
    hour: new Date(bookedAtMs).toISOString().slice(11, 13),
    untilMs: endsAtMs + keepMs,
    hoursUntilMs: endsAtMs + LIMITS.usageHoursMs,
    mostRows: LIMITS.usageRowsPerDay,
    mostUserRows: LIMITS.usageUserRowsPerDay,
    mostHourRows: LIMITS.usageHourRowsPerDay,
  };
}

/** In the form that the script reads. */
export function countedFacts({ status, isCached, saved, failures, ...latencies }: CountedGeneration) {
  const { firstTokenMs, totalMs } = latencies;
  return {
    status,
    cacheHits: Number(isCached),
    savedTokens: saved?.tokens ?? 0,
    savedMicroUsd: saved?.costMicroUsd ?? 0,
    latencies: [
      ...(firstTokenMs === null ? [] : [{ kind: 'f', bucket: String(bucketOf(firstTokenMs)) }]),
      ...(totalMs === null ? [] : [{ kind: 't', bucket: String(bucketOf(totalMs)) }]),
    ],
    failures: failures.map(({ provider, model, code }) => ({
      provider: provider ?? '',
      model: model ?? '',
      code,
    })),
  };
}

export type RowSums = Record<(typeof SUMS)[number], number>;

/** A row, as its field names it. Names are '' for none and `OTHER` for those beyond the limit. */
export type UsageRow =
  | { readonly counts: 'sums'; readonly names: RowNames; readonly sums: RowSums }
  | {
      readonly counts: 'first' | 'total';
      readonly model: string;
      readonly bucket: number;
      readonly count: number;
    }
  | { readonly counts: 'failure'; readonly model: string; readonly code: string; readonly count: number };

export interface RowNames {
  readonly team: string;
  readonly model: string;
  readonly prompt: string;
  readonly user: string;
  readonly key: string;
}

/** @returns null for a row that newer code has written. */
export function parseRow(parts: readonly string[], value: string): UsageRow | null {
  const [kind, first = '', second = '', third = '', user = '', key = ''] = parts;
  if (kind === 's') {
    const names = { team: first, model: second, prompt: third, user, key };
    return { counts: 'sums', names, sums: parseSums(value) };
  }
  const count = Number(value);
  if (kind === 'e') return { counts: 'failure', model: first, code: second, count };
  if (kind !== 'f' && kind !== 't') return null;
  return { counts: kind === 'f' ? 'first' : 'total', model: first, bucket: Number(second), count };
}

function parseSums(packed: string): RowSums {
  const numbers = packed.split(' ').map(Number);
  const sums = emptySums();
  for (const [at, name] of SUMS.entries()) sums[name] = numbers[at] ?? 0;
  return sums;
}

export function emptySums(): RowSums {
  return {
    generations: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    cacheHits: 0,
    costMicroUsd: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    savedTokens: 0,
    savedMicroUsd: 0,
  };
}

export function addSums(sums: RowSums, more: RowSums): void {
  for (const name of SUMS) sums[name] += more[name];
}
