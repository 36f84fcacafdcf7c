/**
 * Computes balances from entries: builds a window that a subject does not keep yet, and compares (or repairs) the ones
 * that it keeps. The entries are the truth; the buckets are sums of them.
 */
import { z } from 'zod';
import { type BudgetSubjectKind, budgetSubjects } from '../../contracts/budgets.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { AUDIT } from './audit-script.ts';
import type { Rules, SubjectPlan } from './budget-limits.ts';
import { type BudgetEntry, daysBetween, entriesKey, readDay } from './entries.ts';
import { askLedger, type LedgerRedis } from './ledger-redis.ts';
import { neededFrom, periodOf, spanOf, type WindowId } from './windows.ts';

export const SUBJECT_KEEP_MS = 40 * 24 * 3_600_000;
/** Differences that a report lists. All are counted, and all are repaired. */
const LISTED = 1_000;
/** New entries that one call of the script may add up. */
const MOST_IN_SCRIPT = 500;
/** Rounds after which a subject is left to the next audit, because its entries arrive faster than they are read. */
const MOST_ROUNDS = 20;

type Sums = [spentTokens: number, reservedTokens: number, spentMicroUsd: number, reservedMicroUsd: number];

interface Range {
  readonly field: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly sums: Sums;
}

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
  const entries = new EntryReader(redis, tenant, daysBetween(fromMs, nowMs), (entry) => {
    if (entry[plan.kind] !== plan.id) return;
    for (const { id, first } of spans) addTo(sums, id, entry, first);
  });
  // All buckets up to now: an entry that arrives during the reading may be the first of its bucket.
  for (const { id, first, last, stepMs } of spans) {
    for (let at = first; at <= last; at += stepMs) rangeOf(sums, id, at);
  }
  await entries.keepUp(({ keys, after }) =>
    askLedger(redis, AUDIT, {
      keys: [key, ...keys],
      ask: {
        kind: plan.kind,
        id: plan.id,
        after,
        was,
        repair: true,
        most: MOST_IN_SCRIPT,
        ranges: [...sums.values()],
        windows: [...kept, ...missing].sort().join(' '),
        keepMs: SUBJECT_KEEP_MS,
      },
    }),
  );
}

/** Reads the entries of days, each once, while more come. */
class EntryReader {
  readonly #redis: LedgerRedis;
  readonly #tenant: string;
  readonly #visit: (entry: BudgetEntry) => void;
  /** By day, the id of the last entry that was read; '' for none. */
  readonly #last: Map<string, string>;
  #count = 0;

  constructor(
    redis: LedgerRedis,
    tenant: string,
    days: readonly string[],
    visit: (entry: BudgetEntry) => void,
  ) {
    this.#redis = redis;
    this.#tenant = tenant;
    this.#visit = visit;
    this.#last = new Map(days.map((day) => [day, '']));
  }

  get count(): number {
    return this.#count;
  }

  async readOn(): Promise<void> {
    for (const [day, last] of this.#last) {
      const read = await readDay(this.#redis, this.#tenant, { day, after: last }, (entry) => {
        this.#count += 1;
        this.#visit(entry);
      });
      this.#last.set(day, read);
    }
  }

  /** Sends the script how far was read, and reads on when the script answers that this is too far behind. */
  async keepUp(
    ask: (read: { readonly keys: readonly string[]; readonly after: readonly string[] }) => Promise<unknown>,
  ): Promise<unknown> {
    const keys = [...this.#last.keys()].map((day) => entriesKey(this.#tenant, day));
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const answer = await ask({ keys, after: [...this.#last.values()] });
      if (answer !== 'behind') return answer;
      await this.readOn();
    }
    return 'moved';
  }
}

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
      const subject = subjects.get(name) ?? { plan: rules.planOf(kind, entry[kind]), sums: new Map() };
      subjects.set(name, subject);
      for (const { id } of subject.plan.windows) addTo(subject.sums, id, entry, neededFrom(id, nowMs));
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
  readonly sums: Map<string, Range>;
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
  const answer = await entries.keepUp(async ({ keys, after }) => {
    const stored = await redis.hGetAll(key);
    const was = stored['windows'] ?? '';
    // The subject's next reservation builds the windows that it does not keep yet.
    const kept = was === '' ? planned : planned.filter((id) => was.split(' ').includes(id));
    for (const field of Object.keys(stored)) {
      const [id = '', at = ''] = field.split('@');
      if (kept.includes(id) && Number(at) >= neededFrom(id, nowMs)) rangeOf(sums, id, Number(at));
    }
    const ranges = [...sums.values()].filter(({ field, from }) => {
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
        most: MOST_IN_SCRIPT,
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
