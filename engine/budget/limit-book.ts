/**
 * Which limits apply to whom. Those that were set are kept in Redis, over those of the config; one for a name goes
 * before one for all. Each change raises a version that every step checks inside its script, so a limit holds from the
 * next step on, and no step needs to read the limits again.
 */
import { z } from 'zod';
import {
  type BudgetKey,
  type BudgetLimit,
  type BudgetOwner,
  type BudgetSubjectKind,
  budgetLimitSchema,
  budgetSubjects,
  budgetUnits,
  nameOfBudget,
} from '../../contracts/budgets.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import { script } from '../../platform/redis/lua-script.ts';
import { askScript, type LedgerRedis } from './ledger-redis.ts';
import { type WindowId, windowId } from './windows.ts';

/** Limits that a tenant may set. */
const MOST_LIMITS = 10_000;
const TENANTS_REMEMBERED = 1_000;

export interface WindowPlan {
  readonly id: WindowId;
  readonly limits: readonly BudgetLimit[];
}

/** A subject of an owner, with all windows that are kept for it. */
export interface SubjectPlan {
  readonly kind: BudgetSubjectKind;
  readonly id: string;
  readonly windows: readonly WindowPlan[];
}

export interface Rules {
  readonly version: string;
  readonly readAtMs: number;
  /** All limits, those of the config among them. */
  readonly limits: readonly (BudgetLimit & { readonly source: 'config' | 'set' })[];
  planOf(kind: BudgetSubjectKind, id: string): SubjectPlan;
}

export interface LimitBook {
  /** The rules as this process knows them; read once, then only when they are found to be old. */
  rulesOf(tenant: string): Promise<Rules>;
  /** Reads the rules again, unless that was done since `old` was read. */
  refresh(tenant: string, old?: Rules): Promise<Rules>;
  set(tenant: string, limit: BudgetLimit): Promise<void>;
  /** @returns whether it was set. The config's own limit, if there is one, applies again. */
  remove(tenant: string, key: BudgetKey): Promise<boolean>;
}

/** KEYS limits. ARGV[1] JSON {name, value or '', most}. -> whether something changed, or 'full' */
const CHANGE = script(`
local ask = cjson.decode(ARGV[1])
if ask.value == '' then
  if redis.call('HDEL', KEYS[1], ask.name) == 0 then return 'false' end
else
  if redis.call('HLEN', KEYS[1]) > ask.most and redis.call('HEXISTS', KEYS[1], ask.name) == 0 then return '"full"' end
  redis.call('HSET', KEYS[1], ask.name, ask.value)
end
redis.call('HINCRBY', KEYS[1], 'version', 1)
return 'true'
`);

export function createLimitBook(options: {
  readonly redis: LedgerRedis;
  readonly defaults: readonly BudgetLimit[];
  readonly timeZone: string;
  readonly clock: () => number;
}): LimitBook {
  const { redis, defaults, timeZone, clock } = options;
  const known = new BoundedMap<string, Promise<Rules>>(TENANTS_REMEMBERED);
  const change = (tenant: string, name: string, value: string) => {
    known.delete(tenant);
    const question = { name, value, most: MOST_LIMITS };
    return askScript(redis, CHANGE, [REDIS_KEYS.budget(tenant, 'limits')], question);
  };
  const read = (tenant: string): Promise<Rules> => {
    const reading = readRules(redis, tenant, { defaults, timeZone, clock });
    known.set(tenant, reading);
    reading.catch(() => known.delete(tenant));
    return reading;
  };
  return {
    rulesOf: (tenant) => known.get(tenant) ?? read(tenant),
    async refresh(tenant, old) {
      const remembered = known.get(tenant);
      // Many callers find at once that the rules are old; one reading is enough for all.
      if (old !== undefined && remembered !== undefined && (await remembered) !== old) return remembered;
      const now = known.get(tenant);
      return now === undefined || now === remembered ? read(tenant) : now;
    },
    async set(tenant, limit) {
      const changed = await change(tenant, nameOfBudget(limit), JSON.stringify(limit));
      if (changed === 'full') {
        throw new UnbrokenError(
          'invalid_request',
          `A tenant may set ${MOST_LIMITS} limits; remove some first.`,
        );
      }
    },
    remove: async (tenant, key) => (await change(tenant, nameOfBudget(key), '')) === true,
  };
}

async function readRules(
  redis: LedgerRedis,
  tenant: string,
  { defaults, timeZone, clock }: { defaults: readonly BudgetLimit[]; timeZone: string; clock: () => number },
): Promise<Rules> {
  const { version = '0', ...stored } = { ...(await redis.hGetAll(REDIS_KEYS.budget(tenant, 'limits'))) };
  const set = Object.values(stored).map((text) => budgetLimitSchema.parse(JSON.parse(text)));
  const byName = new Map(
    defaults.map((limit) => [nameOfBudget(limit), { ...limit, source: 'config' as const }]),
  );
  const all = new Map<string, BudgetLimit & { source: 'config' | 'set' }>(byName);
  for (const limit of set) all.set(nameOfBudget(limit), { ...limit, source: 'set' });
  const bySubject = Map.groupBy(all.values(), ({ per, id }) => `${per}/${id}`);
  return {
    version,
    readAtMs: clock(),
    limits: [...all.values()].toSorted((a, b) => nameOfBudget(a).localeCompare(nameOfBudget(b))),
    planOf(kind, id) {
      const chosen = new Map<string, BudgetLimit>();
      for (const limit of [
        ...(bySubject.get(`${kind}/*`) ?? []),
        ...(bySubject.get(`${kind}/${id}`) ?? []),
      ]) {
        chosen.set(`${limit.window}/${limit.unit}`, limit);
      }
      // Kept for everyone, so that a limit that is set later knows what was spent before.
      const windows = new Map<WindowId, BudgetLimit[]>(
        ['day', 'month'].map((window) => [windowId(window, timeZone), []]),
      );
      for (const limit of chosen.values()) {
        if (limit.amount === null) continue;
        const window = windowId(limit.window, limit.timeZone ?? timeZone);
        windows.set(window, [...(windows.get(window) ?? []), limit]);
      }
      const sorted = [...windows].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return { kind, id, windows: sorted.map(([window, limits]) => ({ id: window, limits })) };
    },
  };
}

/** The subjects of an owner in the order of their keys: user, team (where there is one), key. */
export function subjectsOf({ user, team, keyId }: BudgetOwner): { kind: BudgetSubjectKind; id: string }[] {
  const ids: Record<BudgetSubjectKind, string | null> = { user, team, key: keyId };
  return budgetSubjects.flatMap((kind) => {
    const id = ids[kind];
    return id === null ? [] : [{ kind, id }];
  });
}

const nameSchema = z.tuple([z.enum(budgetSubjects), z.string(), z.string(), z.enum(budgetUnits)]);

export function parseBudgetName(name: string): BudgetKey {
  const [per, id, window, unit] = nameSchema.parse(name.split('/'));
  return { per, id, window, unit };
}
