/**
 * Decides which limits apply to a subject. Limits that an administrator has set are in Redis and override those of the
 * config; a limit for one name overrides a limit for all. Each change sets another version, which every step checks
 * inside its script, so a limit holds from the next step on, and no step has to read the limits.
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
import { askLedger, type LedgerRedis } from './ledger-redis.ts';
import { type WindowId, windowId } from './windows.ts';

/** Limits that a tenant may set. */
const MOST_LIMITS = 10_000;
const TENANTS_REMEMBERED = 1_000;

interface WindowPlan {
  readonly id: WindowId;
  readonly limits: readonly BudgetLimit[];
}

/** One subject of an owner, with all windows that are kept for it. */
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

/** KEYS limits. An empty value removes the limit. -> whether something changed, or 'full' */
const CHANGE = script(`
local ask = cjson.decode(ARGV[1])
if ask.value == '' then
  if redis.call('HDEL', KEYS[1], ask.name) == 0 then return 'false' end
else
  if redis.call('HLEN', KEYS[1]) > ${MOST_LIMITS} and redis.call('HEXISTS', KEYS[1], ask.name) == 0 then
    return '"full"'
  end
  redis.call('HSET', KEYS[1], ask.name, ask.value)
end
-- A time, which no lost change has had: after a failover, a number that counts would come again, for other limits.
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'version', string.format('%.0f', time[1] * 1000000 + time[2]))
return 'true'
`);

interface BudgetLimitsOptions {
  readonly redis: LedgerRedis;
  /** The limits of the config. */
  readonly defaults: readonly BudgetLimit[];
  readonly timeZone: string;
  readonly clock: () => number;
}

export class BudgetLimits {
  readonly #options: BudgetLimitsOptions;
  readonly #readings = new BoundedMap<string, Promise<Rules>>(TENANTS_REMEMBERED);

  constructor(options: BudgetLimitsOptions) {
    this.#options = options;
  }

  /** The rules as this process knows them: read once, and again only when a step finds them outdated. */
  rulesOf(tenant: string): Promise<Rules> {
    return this.#readings.get(tenant) ?? this.#read(tenant);
  }

  /** Reads the rules again, unless another caller has done so since `old` was read. */
  async refresh(tenant: string, old?: Rules): Promise<Rules> {
    const remembered = this.#readings.get(tenant);
    // Many callers find out at once that the rules are outdated; one reading is enough for all.
    if (old !== undefined && remembered !== undefined && (await remembered) !== old) return remembered;
    const newest = this.#readings.get(tenant);
    return newest === undefined || newest === remembered ? this.#read(tenant) : newest;
  }

  async set(tenant: string, limit: BudgetLimit): Promise<void> {
    const changed = await this.#change(tenant, nameOfBudget(limit), JSON.stringify(limit));
    if (changed === 'full') {
      throw new UnbrokenError(
        'invalid_request',
        `A tenant may set ${MOST_LIMITS} limits; remove some first.`,
      );
    }
  }

  /** @returns whether the limit was set. The config's own limit, if there is one, applies again. */
  async remove(tenant: string, key: BudgetKey): Promise<boolean> {
    return (await this.#change(tenant, nameOfBudget(key), '')) === true;
  }

  #change(tenant: string, name: string, value: string): Promise<unknown> {
    this.#readings.delete(tenant);
    const keys = [REDIS_KEYS.budget(tenant, 'limits')];
    return askLedger(this.#options.redis, CHANGE, { keys, ask: { name, value } });
  }

  #read(tenant: string): Promise<Rules> {
    const reading = readRules(tenant, this.#options);
    this.#readings.set(tenant, reading);
    reading.catch(() => this.#readings.delete(tenant));
    return reading;
  }
}

async function readRules(
  tenant: string,
  { redis, defaults, timeZone, clock }: BudgetLimitsOptions,
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
    // By code units, as the pages of a list compare names.
    limits: [...all.values()].toSorted((a, b) => (nameOfBudget(a) < nameOfBudget(b) ? -1 : 1)),
    planOf(kind, id) {
      const chosen = new Map<string, BudgetLimit>();
      for (const limit of [
        ...(bySubject.get(`${kind}/*`) ?? []),
        ...(bySubject.get(`${kind}/${id}`) ?? []),
      ]) {
        chosen.set(`${limit.window}/${limit.unit}`, limit);
      }
      // Every subject has these windows, so that a limit that is set later knows what was spent before.
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

/** The subjects of an owner in the order of their keys: user, team (if there is one), key. */
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
