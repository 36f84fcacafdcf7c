/**
 * How long a refusal of Google asks to wait, by the details in its body. A limit of a day has a delay of seconds beside
 * it, but has no room before midnight in the Pacific time zone. Source: Gemini API, "Rate limits";
 * google.rpc.QuotaFailure and RetryInfo.
 */
import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { parseDurationMs } from '../../platform/parse-wait.ts';

const text = z.string().optional().catch(undefined);
const detailSchema = z.object({
  retryDelay: text,
  violations: z.array(z.object({ quotaId: text }).catch({})).catch([]),
  metadata: z.object({ quota_limit: text }).catch({}),
});

const OF_A_DAY = /PerDay/;
const DAYS_END_IN = 'America/Los_Angeles';
const MOST_DETAILS = 32;

/** @returns milliseconds; undefined if the details do not say. */
export function waitInDetails(details: unknown, nowMs = Date.now()): number | undefined {
  if (!Array.isArray(details)) return undefined;
  const read = details.slice(0, MOST_DETAILS).flatMap((detail) => detailSchema.safeParse(detail).data ?? []);
  const limits = read.flatMap(({ violations, metadata }) => [
    metadata.quota_limit,
    ...violations.map(({ quotaId }) => quotaId),
  ]);
  if (limits.some((limit) => limit !== undefined && OF_A_DAY.test(limit))) return untilMidnight(nowMs);
  const delay = read.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay;
  return delay === undefined ? undefined : parseDurationMs(delay);
}

function untilMidnight(nowMs: number): number {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(DAYS_END_IN);
  return now.startOfDay().add({ days: 1 }).epochMilliseconds - nowMs;
}
