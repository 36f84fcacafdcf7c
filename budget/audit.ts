/**
 * Balances from entries: builds a window that a subject did not keep so far, and compares (or puts right) all that it
 * keeps. The entries are the truth, the buckets a sum of them.
 */
import { z } from 'zod';
import { type BudgetSubjectKind, budgetSubjects } from '../contracts/budgets.ts';
import { REDIS_KEYS } from '../contracts/names.ts';
import { AUDIT } from './audit-script.ts';
import { type BudgetEntry, daysBetween, entriesKey, readDay } from './entries.ts';
import { askScript, type LedgerRedis } from './ledger-redis.ts';
import type { Rules, SubjectPlan } from './limit-book.ts';
import { neededFrom, periodOf, spanOf, type WindowId } from './windows.ts';

export const SUBJECT_KEEP_MS = 40 * 24 * 3_600_000;
/** Differences that a report lists; all are counted and repaired. */
const LISTED = 1_000;

type Sums = [spentTokens: number, reservedTokens: number, spentMicroUsd: number, reservedMicroUsd: number];

interface Range {
  readonly field: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly sums: Sums;
}

/** A bucket whose balance is not the sum of its entries. */
export interface Difference {
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

export function subjectKey(tenant: string, kind: BudgetSubjectKind, id: string): string {
  return REDIS_KEYS.budget(tenant, 'subject', kind, id);
}

/** Gives a subject the windows of its plan that it does not keep yet, summed up from the entries of their time. */
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
  const sums = new Map<string, Range>();
  const days = daysBetween(fromMs, nowMs);
  const after: string[] = [];
  for (const day of days) {
    const add = (entry: BudgetEntry) => {
      if (entry[plan.kind] !== plan.id) return;
      for (const { id, first } of spans) addTo(sums, id, entry, first);
    };
    after.push(await readDay(redis, tenant, day, add));
  }
  // Buckets of now: an entry that comes while this is read may be the first of its bucket.
  for (const { id, first, last, stepMs } of spans) {
    for (let at = first; at <= last; at += stepMs) rangeOf(sums, id, at);
  }
  await askScript(redis, AUDIT, [key, ...days.map((day) => entriesKey(tenant, day))], {
    ...{ kind: plan.kind, id: plan.id, after, was, ranges: [...sums.values()], repair: true },
    ...{ windows: [...kept, ...missing].sort().join(' '), keepMs: SUBJECT_KEEP_MS },
  });
}

/** Recomputes every balance of a tenant that a window still needs. @param repair also puts them right. */
export async function auditTenant(
  redis: LedgerRedis,
  tenant: string,
  { rules, nowMs, repair }: { rules: Rules; nowMs: number; repair: boolean },
): Promise<Audit> {
  const summed = await sumEntries(redis, tenant, rules, nowMs);
  const found: Difference[] = [];
  for (const subject of summed.subjects.values()) {
    found.push(...(await auditSubject(redis, tenant, { ...summed, ...subject, nowMs, repair })));
  }
  const { subjects, entries } = summed;
  return { subjects: subjects.size, entries, differences: found.length, listed: found.slice(0, LISTED) };
}

interface SummedSubject {
  readonly plan: SubjectPlan;
  readonly sums: Map<string, Range>;
}

interface Summed {
  readonly subjects: Map<string, SummedSubject>;
  readonly entries: number;
  readonly days: readonly string[];
  /** The last entry of each day that is summed. */
  readonly after: readonly string[];
}

async function sumEntries(redis: LedgerRedis, tenant: string, rules: Rules, nowMs: number): Promise<Summed> {
  const days = daysBetween(neededFrom('month[UTC]', nowMs), nowMs);
  const subjects = new Map<string, SummedSubject>();
  let entries = 0;
  const visit = (entry: BudgetEntry) => {
    entries += 1;
    for (const kind of budgetSubjects) {
      if (entry[kind] === '') continue;
      const name = `${kind}/${entry[kind]}`;
      const subject = subjects.get(name) ?? { plan: rules.planOf(kind, entry[kind]), sums: new Map() };
      subjects.set(name, subject);
      for (const { id } of subject.plan.windows) addTo(subject.sums, id, entry, neededFrom(id, nowMs));
    }
  };
  const after: string[] = [];
  for (const day of days) after.push(await readDay(redis, tenant, day, visit));
  return { subjects, entries, days, after };
}

async function auditSubject(
  redis: LedgerRedis,
  tenant: string,
  { plan, sums, days, after, nowMs, repair }: SummedSubject & Summed & { nowMs: number; repair: boolean },
): Promise<Difference[]> {
  const { kind, id: subject } = plan;
  const key = subjectKey(tenant, kind, subject);
  const stored = await redis.hGetAll(key);
  const was = stored['windows'] ?? '';
  const planned = plan.windows.map(({ id }) => id);
  // A window that this subject does not keep yet is built by its next reservation.
  const kept = was === '' ? planned : planned.filter((id) => was.split(' ').includes(id));
  for (const field of Object.keys(stored)) {
    const [id = '', at = ''] = field.split('@');
    if (kept.includes(id) && Number(at) >= neededFrom(id, nowMs)) rangeOf(sums, id, Number(at));
  }
  // Of closed periods only what is there is compared: a window that was built later has none of them.
  const isDue = (id: WindowId, at: number) => at >= spanOf(id, nowMs).first;
  const ranges = [...sums.values()].filter(({ field, from }) => {
    const [id = ''] = field.split('@');
    return kept.includes(id) && (stored[field] !== undefined || isDue(id, from));
  });
  const answer = await askScript(redis, AUDIT, [key, ...days.map((day) => entriesKey(tenant, day))], {
    ...{ kind, id: subject, after, was, ranges, repair, keepMs: SUBJECT_KEEP_MS },
    windows: repair && was === '' ? planned.join(' ') : '',
  });
  // Its limits changed meanwhile: the next audit sees it.
  if (answer === 'moved') return [];
  return answerSchema
    .parse(answer)
    .map(({ field, ...sides }) => ({ per: kind, id: subject, bucket: field, ...sides }));
}

function addTo(sums: Map<string, Range>, id: WindowId, entry: BudgetEntry, earliest: number): void {
  const { from } = periodOf(id, entry.on);
  if (from < earliest) return;
  const range = rangeOf(sums, id, from);
  range.sums[0] += entry.spentTokens;
  range.sums[1] += entry.reservedTokens;
  range.sums[2] += entry.spentMicroUsd;
  range.sums[3] += entry.reservedMicroUsd;
}

function rangeOf(sums: Map<string, Range>, id: WindowId, at: number): Range {
  const field = `${id}@${at}`;
  const known = sums.get(field);
  if (known !== undefined) return known;
  const { from, until } = periodOf(id, at);
  const range: Range = { field, from, to: until, sums: [0, 0, 0, 0] };
  sums.set(field, range);
  return range;
}
