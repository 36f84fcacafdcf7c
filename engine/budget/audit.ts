/** Compares the balances of a tenant with its entries, which are the truth, and repairs them. */
import { z } from 'zod';
import { type BudgetSubjectKind, budgetSubjects } from '../../contracts/budgets.ts';
import { AUDIT } from './audit-script.ts';
import type { Rules, SubjectPlan } from './budget-limits.ts';
import { daysBetween } from './entries.ts';
import { askLedger, type LedgerRedis } from './ledger-redis.ts';
import { SUBJECT_KEEP_MS, subjectKey } from './subject-key.ts';
import { BucketSums, EntryReader } from './sum-entries.ts';
import { neededFrom, spanOf, type WindowId } from './windows.ts';

/** Differences that a report lists. All are counted, and all are repaired. */
const LISTED = 1_000;

/** A bucket whose balance is not the sum of its entries. */
interface Difference {
  readonly per: BudgetSubjectKind;
  readonly id: string;
  /** Window and first ms of the bucket: `day[UTC]@1767225600000`. */
  readonly bucket: string;
  /** "spentTokens reservedTokens spentMicroUsd reservedMicroUsd" */
  readonly stored: string;
  readonly right: string;
}

export interface Audit {
  readonly subjects: number;
  readonly entries: number;
  readonly differences: number;
  readonly listed: readonly Difference[];
}

const answerSchema = z.array(z.object({ field: z.string(), stored: z.string(), right: z.string() }));

/** Recomputes every balance of a tenant that a window still needs. @param repair also corrects them. */
export async function auditTenant(
  redis: LedgerRedis,
  tenant: string,
  { rules, nowMs, repair }: { rules: Rules; nowMs: number; repair: boolean },
): Promise<Audit> {
  const subjects = new Map<string, SummedSubject>();
  const days = daysBetween(neededFrom('month[UTC]', nowMs), nowMs);
  const entries = new EntryReader(redis, tenant, days, (entry) => {
    for (const kind of budgetSubjects) {
      if (entry[kind] === '') continue;
      const name = `${kind}/${entry[kind]}`;
      const subject = subjects.get(name) ?? { plan: rules.planOf(kind, entry[kind]), sums: new BucketSums() };
      subjects.set(name, subject);
      for (const { id } of subject.plan.windows) subject.sums.add(id, entry, neededFrom(id, nowMs));
    }
  });
  await entries.readOn();
  const differences: Difference[] = [];
  // The iteration includes subjects that are added while others are compared.
  for (const subject of subjects.values()) {
    differences.push(...(await auditSubject(redis, tenant, { entries, subject, nowMs, repair })));
  }
  return {
    subjects: subjects.size,
    entries: entries.count,
    differences: differences.length,
    listed: differences.slice(0, LISTED),
  };
}

interface SummedSubject {
  readonly plan: SubjectPlan;
  readonly sums: BucketSums;
}

interface AuditedSubject {
  readonly entries: EntryReader;
  readonly subject: SummedSubject;
  readonly nowMs: number;
  readonly repair: boolean;
}

async function auditSubject(
  redis: LedgerRedis,
  tenant: string,
  { entries, subject: { plan, sums }, nowMs, repair }: AuditedSubject,
): Promise<Difference[]> {
  const { kind, id: subject } = plan;
  const key = subjectKey(tenant, kind, subject);
  const planned = plan.windows.map(({ id }) => id);
  // Of closed periods only the stored buckets are compared: a window that was built later has none of them.
  const isDue = (id: WindowId, at: number) => at >= spanOf(id, nowMs).first;
  const answer = await entries.keepUp(async ({ keys, after, most }) => {
    const stored = await redis.hGetAll(key);
    const was = stored['windows'] ?? '';
    // The subject's next reservation builds the windows that it does not keep yet.
    const kept = was === '' ? planned : planned.filter((id) => was.split(' ').includes(id));
    for (const field of Object.keys(stored)) {
      const [id = '', at = ''] = field.split('@');
      if (kept.includes(id) && Number(at) >= neededFrom(id, nowMs)) sums.bucket(id, Number(at));
    }
    const ranges = sums.all().filter(({ field, from }) => {
      const [id = ''] = field.split('@');
      return kept.includes(id) && (stored[field] !== undefined || isDue(id, from));
    });
    return askLedger(redis, AUDIT, {
      keys: [key, ...keys],
      ask: {
        kind,
        id: subject,
        after,
        was,
        ranges,
        repair,
        keepMs: SUBJECT_KEEP_MS,
        most,
        windows: repair && was === '' ? planned.join(' ') : '',
      },
    });
  });
  // The subject's limits have changed meanwhile: the next audit compares it.
  if (answer === 'moved') return [];
  return answerSchema
    .parse(answer)
    .map(({ field, ...sides }) => ({ per: kind, id: subject, bucket: field, ...sides }));
}
