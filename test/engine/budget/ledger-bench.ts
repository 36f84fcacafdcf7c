/** A real Redis for one test file, and ledgers on it whose time the test sets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { createClient } from 'redis';
import { type BudgetLimit, type BudgetOwner, budgetLimitSchema } from '../../../contracts/budgets.ts';
import { NO_USAGE, type Usage } from '../../../contracts/money.ts';
import { BudgetAccounts } from '../../../engine/budget/budget-accounts.ts';
import type { BudgetLimits } from '../../../engine/budget/budget-limits.ts';
import type {
  BudgetLedger,
  CountedGeneration,
  Extension,
  Reservation,
  ReserveOutcome,
  Settlement,
} from '../../../engine/budget/ledger.ts';
import { RedisBudgetLedger } from '../../../engine/budget/redis-budget-ledger.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findRedisExecutable } from '../../../tools/services/programs/redis.js';
import { startRedis } from '../../../tools/services/provide-redis.ts';
import { PATIENT_MS } from '../../harness/patience.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const NOON = Date.UTC(2026, 10, 24, 12);
export const KEEP_ENTRIES_MS = 60 * DAY_MS;
const KEEP_USAGE_MS = 400 * DAY_MS;

/** Thousands of commands at once wait for each other, on a busy machine for longer than the default of 5 s. */
const PATIENT = { socket: { connectTimeout: PATIENT_MS }, commandOptions: { timeout: PATIENT_MS } };
const clientOf = (url: string) => createClient({ url, ...PATIENT });
export type TestClient = ReturnType<typeof clientOf>;

export interface LedgerBench {
  readonly url: string;
  /** Two connections, as two processes have them. */
  readonly clients: readonly [TestClient, TestClient];
  stop(): Promise<void>;
}

export async function startLedgerBench(): Promise<LedgerBench> {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-budget-'));
  const reports: unknown[] = [];
  const report = (line: unknown) => {
    reports.push(line);
  };
  const executable = await findRedisExecutable(report);
  const server = await startRedis({ executable, dataDir: folder, port: await findFreePort(), report });
  const connect = async () => {
    const client = clientOf(server.url);
    client.on('error', report);
    await client.connect();
    return client;
  };
  const clients = [await connect(), await connect()] as const;
  return {
    url: server.url,
    clients,
    async stop() {
      for (const client of clients) client.destroy();
      await server.process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type LimitFields = Partial<BudgetLimit> & Pick<BudgetLimit, 'window' | 'amount'>;

export function limitOf(fields: LimitFields): BudgetLimit {
  return budgetLimitSchema.parse({ per: 'user', ...fields });
}

export interface TestLedger {
  readonly ledger: BudgetLedger & { readonly limits: BudgetLimits };
  readonly accounts: BudgetAccounts;
}

export function ledgerOn(
  redis: TestClient,
  limits: readonly LimitFields[],
  clock: () => number = () => NOON,
  timeZone = 'UTC',
): TestLedger {
  const kept = { keepEntriesMs: KEEP_ENTRIES_MS, keepUsageMs: KEEP_USAGE_MS };
  const options = { redis, limits: limits.map(limitOf), timeZone, ...kept, clock };
  const ledger = new RedisBudgetLedger(options);
  return { ledger, accounts: new BudgetAccounts({ redis, limits: ledger.limits, clock }) };
}

let owners = 0;

/** Each test has its own tenant, so that no test sees what another booked. */
export function newOwner(fields: Partial<BudgetOwner> = {}): BudgetOwner {
  owners += 1;
  return { tenant: `tenant-${owners}`, user: 'ann', team: 'red', keyId: 'key_1', ...fields };
}

const FREE = { fixedMicroUsd: 0, outputMicroUsdPerMillion: 0 };

export function ask(
  owner: BudgetOwner,
  generationId: string,
  wish: Partial<Record<'input' | 'max' | 'min', number>> & Partial<Pick<Reservation, 'price'>> = {},
): Reservation {
  return {
    ...owner,
    generationId,
    inputTokens: wish.input ?? 0,
    maxOutputTokens: wish.max ?? 100,
    minOutputTokens: wish.min ?? 1,
    price: wish.price ?? FREE,
  };
}

export function more(owner: BudgetOwner, generationId: string, fields: Partial<Extension> = {}): Extension {
  return {
    ...owner,
    generationId,
    charges: [],
    inputTokens: 0,
    deliveredTokens: 0,
    minOutputTokens: 1,
    price: FREE,
    ...fields,
  };
}

/** Half of it is output, so that no part is the whole. */
function usageOf(tokens: number): Usage {
  const outputTokens = Math.floor(tokens / 2);
  return { ...NO_USAGE, inputTokens: tokens - outputTokens, outputTokens };
}

export function charge(attempt: number, tokens: number, costMicroUsd = 0) {
  return { attempt, provider: 'p', model: 'm', usage: usageOf(tokens), costMicroUsd };
}

export const COMPLETED: CountedGeneration = {
  status: 'completed',
  isCached: false,
  saved: null,
  lastCalled: null,
  firstTokenMs: 250,
  totalMs: 1_000,
  failures: [],
};

export function bill(
  owner: BudgetOwner,
  generationId: string,
  tokens: number,
  costMicroUsd = tokens,
): Settlement {
  return {
    ...owner,
    generationId,
    usage: usageOf(tokens),
    costMicroUsd,
    attempt: 1,
    provider: 'p',
    model: 'm',
    counted: COMPLETED,
  };
}

/** The balance of the first window whose id begins with `window`. */
export async function balanceOf({ accounts }: TestLedger, owner: BudgetOwner, window = 'day[') {
  const balances = await accounts.balances(owner.tenant, 'user', owner.user);
  const found = balances.find((balance) => balance.window.startsWith(window));
  if (found === undefined) throw new Error(`no window ${window} in ${JSON.stringify(balances)}`);
  return found;
}

export const DAILY = (amount: number) => [{ window: 'day', amount }] as const;
export const MIDNIGHT = Date.UTC(2026, 10, 25);
export const reservedBy = (outcome: ReserveOutcome) => (outcome.granted ? outcome.reservedTokens : 0);

export async function expectBalanced({ accounts }: ReturnType<typeof ledgerOn>, tenant: string) {
  expect(await accounts.audit(tenant, { repair: false })).toMatchObject({ differences: 0, listed: [] });
}
