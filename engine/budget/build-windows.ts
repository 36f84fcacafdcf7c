/** Gives a subject the windows of its plan that it does not keep yet, summed up from the entries of their time. */
import { AUDIT } from './audit-script.ts';
import type { SubjectPlan } from './budget-limits.ts';
import { daysBetween } from './entries.ts';
import { askLedger, type LedgerRedis } from './ledger-redis.ts';
import { SUBJECT_KEEP_MS, subjectKey } from './subject-key.ts';
import { BucketSums, EntryReader } from './sum-entries.ts';
import { spanOf } from './windows.ts';

export async function buildWindows(
  redis: LedgerRedis,
  tenant: string,
  plan: SubjectPlan,
  nowMs: number,
): Promise<void> {
  const key = subjectKey(tenant, plan.kind, plan.id);
  const was = (await redis.hGet(key, 'windows')) ?? '';
  const kept = was.split(' ').filter((id) => id !== '');
  const missing = plan.windows.map(({ id }) => id).filter((id) => !kept.includes(id));
  if (kept.length === 0 || missing.length === 0) return;
  const spans = missing.map((id) => spanOf(id, nowMs));
  const fromMs = Math.min(...spans.map(({ first }) => first));
  const sums = new BucketSums();
  const entries = new EntryReader(redis, tenant, daysBetween(fromMs, nowMs), (entry) => {
    if (entry[plan.kind] !== plan.id) return;
    for (const { id, first } of spans) sums.add(id, entry, first);
  });
  // All buckets up to now: an entry that arrives during the reading may be the first of its bucket.
  for (const { id, first, last, stepMs } of spans) {
    for (let at = first; at <= last; at += stepMs) sums.bucket(id, at);
  }
  await entries.keepUp(({ keys, after, most }) =>
    askLedger(redis, AUDIT, {
      keys: [key, ...keys],
      ask: {
        kind: plan.kind,
        id: plan.id,
        after,
        was,
        repair: true,
        most,
        ranges: sums.all(),
        windows: [...kept, ...missing].sort().join(' '),
        keepMs: SUBJECT_KEEP_MS,
      },
    }),
  );
}
