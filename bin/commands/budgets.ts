/** `unbroken budgets ...`: limits, balances, the ledger's entries, a running generation's cap. Needs an admin key. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Call, requestJson } from '../../clients/typescript/unbroken-client.ts';
import type { BudgetLimit } from '../../contracts/budgets.ts';
import { formatUsd } from '../../contracts/money.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';
import { pages, queryOf } from './pages.ts';
import { printJson, printOutcome } from './print-json.ts';

interface KeyFlags extends ConnectionFlags {
  readonly per: string;
  readonly id: string;
  readonly window: string;
  readonly unit: string;
}

interface SetFlags extends KeyFlags {
  readonly amount: number | null;
  readonly soft?: boolean;
  readonly warnAt?: number;
  readonly timeZone?: string;
}

interface EntriesFlags extends ConnectionFlags {
  readonly from?: string;
  readonly until?: string;
  readonly generation?: string;
  readonly per?: string;
  readonly id?: string;
}

type NamedLimit = BudgetLimit & { readonly name: string; readonly source: string };

interface Balance {
  readonly window: string;
  readonly resetsAtMs: number;
  readonly spentTokens: number;
  readonly reservedTokens: number;
  readonly spentMicroUsd: number;
  readonly reservedMicroUsd: number;
  readonly limits: readonly { unit: string; limit: number; remaining: number; mode: string }[];
}

type Entry = { readonly at: number } & Readonly<Record<string, string | number | boolean>>;

interface Reconciled {
  readonly repaired: boolean;
  readonly subjects: number;
  readonly entries: number;
  readonly differences: number;
  readonly listed: readonly { per: string; id: string; bucket: string; stored: string; right: string }[];
  readonly orphans: readonly string[];
}

function call<Answer>(flags: ConnectionFlags, request: Call): Promise<Answer> {
  return requestJson<Answer>(connectionOf(flags), request);
}

function amount(text: string): number | null {
  if (text === 'none') return null;
  if (!/^\d{1,14}$/.test(text)) throw new InvalidArgumentError('expected a whole number, or none');
  return Number(text);
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new InvalidArgumentError('expected a share, such as 0.8');
  return value;
}

function withKey(command: Command): Command {
  return withConnection(command)
    .requiredOption('--per <subject>', 'user, team or key')
    .option('--id <name>', 'which one; * for each without a separate limit', '*')
    .requiredOption('--window <window>', 'day, month, or rolling: 1h to 31d')
    .option('--unit <unit>', 'tokens or micro-usd', 'tokens');
}

const time = (ms: number) => new Date(ms).toISOString();
const inUnit = (unit: string, count: number) => (unit === 'tokens' ? `${count} tokens` : formatUsd(count));

export function defineBudgets(budgets: Command): void {
  defineLimits(budgets);
  defineShow(budgets);
  defineEntries(budgets);
  defineReconcile(budgets);
  withConnection(budgets.command('raise-cap').description('raise the output cap of a running generation'))
    .argument('<id>')
    .argument('<tokens>', 'the new cap of the whole output', amount)
    .action(async (id: string, maxOutputTokens: number, flags: ConnectionFlags) => {
      const path = `/v1/generations/${encodeURIComponent(id)}/cap`;
      await call(flags, { method: 'POST', path, body: { maxOutputTokens } });
      const sentence = `The cap of ${id} is at least ${maxOutputTokens} tokens now, if it still runs.`;
      printOutcome(flags, { id, maxOutputTokens }, sentence);
    });
  withConnection(budgets.command('stop').description('stop a running generation; what it used is billed'))
    .argument('<id>')
    .action(async (id: string, flags: ConnectionFlags) => {
      await call(flags, { method: 'POST', path: `/v1/generations/${encodeURIComponent(id)}/stop` });
      printOutcome(flags, { id, isStopping: true }, `Stopping ${id}.`);
    });
}

function defineLimits(budgets: Command): void {
  withKey(budgets.command('set').description('set a limit, or change it'))
    .requiredOption('--amount <count>', 'tokens or micro-USD; none: no limit', amount)
    .option('--soft', 'only warn')
    .option('--warn-at <share>', 'send a warning when this share is spent; default: 0.8', share)
    .option('--time-zone <name>', "of day and month, such as Europe/Berlin; default: the config's")
    .action(async ({ per, id, window, unit, soft, warnAt, timeZone, ...flags }: SetFlags) => {
      const mode = soft === true ? 'soft' : 'hard';
      const body = { per, id, window, unit, amount: flags.amount, mode, warnAt, timeZone };
      const limit = await call<{ name: string }>(flags, { method: 'PUT', path: '/v1/budgets/limits', body });
      printOutcome(flags, limit, `Set ${limit.name}.`);
    });
  withKey(budgets.command('remove').description("remove a limit; the config's own applies again")).action(
    async ({ per, id, window, unit, ...flags }: KeyFlags) => {
      const path = `/v1/budgets/limits${queryOf({ per, id, window, unit })}`;
      await call(flags, { method: 'DELETE', path });
      const name = `${per}/${id}/${window}/${unit}`;
      printOutcome(flags, { name, isRemoved: true }, `Removed ${name}.`);
    },
  );
  withConnection(budgets.command('list').description('list the limits')).action(
    async (flags: ConnectionFlags) => {
      const limits: NamedLimit[] = [];
      for await (const limit of pages<NamedLimit>(connectionOf(flags), '/v1/budgets/limits', {}))
        limits.push(limit);
      if (flags.json === true) return printJson(limits);
      for (const { name, unit, amount, mode, warnAt, source, timeZone = '' } of limits) {
        const most = amount === null ? 'no limit' : inUnit(unit, amount);
        console.log([name, most, mode, `warns at ${warnAt}`, source, timeZone].join('\t').trimEnd());
      }
    },
  );
}

function defineShow(budgets: Command): void {
  withConnection(budgets.command('show').description('show the balances of one user, team or key'))
    .argument('<subject>', 'user, team or key')
    .argument('<id>')
    .action(async (per: string, id: string, flags: ConnectionFlags) => {
      const path = `/v1/budgets/balances${queryOf({ per, id })}`;
      const { data } = await call<{ data: readonly Balance[] }>(flags, { method: 'GET', path });
      if (flags.json === true) return printJson(data);
      for (const balance of data) {
        const { spentTokens, spentMicroUsd, reservedTokens, reservedMicroUsd } = balance;
        const spent = `spent ${spentTokens} tokens, ${formatUsd(spentMicroUsd)}`;
        const reserved = `reserved ${reservedTokens} tokens, ${formatUsd(reservedMicroUsd)}`;
        const limits = balance.limits.map(
          ({ unit, limit, remaining, mode }) =>
            `${mode}: ${inUnit(unit, remaining)} of ${inUnit(unit, limit)} left`,
        );
        const resets = `resets ${time(balance.resetsAtMs)}`;
        console.log([balance.window, spent, reserved, ...limits, resets].join('\t'));
      }
    });
}

/** With `--json` it prints one entry a line, because there may be millions. */
function defineEntries(budgets: Command): void {
  withConnection(budgets.command('entries').description("list the ledger's entries, oldest first"))
    .option('--from <day>', 'such as 2026-11-24 (UTC); default: today')
    .option('--until <day>', 'default: the first day')
    .option('--generation <id>', 'only those of this generation')
    .option('--per <subject>', 'user, team or key; with --id')
    .option('--id <name>', 'of the user, team or key')
    .action(async ({ from, until, generation, per, id, ...flags }: EntriesFlags) => {
      const query = { from, until, generation, per, id };
      for await (const entry of pages<Entry>(connectionOf(flags), '/v1/budgets/entries', query)) {
        const { at, kind, generation: generationId, user, team, key } = entry;
        const tokens = `spent ${entry['spentTokens']} reserved ${entry['reservedTokens']}`;
        const money = `${entry['spentMicroUsd']} ${entry['reservedMicroUsd']} micro-USD`;
        const row = [time(at), kind, generationId, user, team, key, tokens, money];
        console.log(flags.json === true ? JSON.stringify(entry) : row.join('\t'));
      }
    });
}

function defineReconcile(budgets: Command): void {
  withConnection(budgets.command('reconcile').description('recompute all balances from entries'))
    .option('--repair', 'correct what differs, and release what no run will settle')
    .action(async ({ repair = false, ...flags }: ConnectionFlags & { repair?: boolean }) => {
      const path = '/v1/budgets/reconcile';
      const audit = await call<Reconciled>(flags, { method: 'POST', path, body: { repair } });
      const { entries, subjects, differences, orphans } = audit;
      if (!repair && differences + orphans.length > 0) process.exitCode = 1;
      if (flags.json === true) return printJson(audit);
      for (const { per, id, bucket, stored, right } of audit.listed)
        console.log([`${per}/${id}`, bucket, `is ${stored}`, `should be ${right}`].join('\t'));
      for (const id of orphans) console.log(`${id}\tno run will settle it`);
      console.error(
        `${entries} entries, ${subjects} subjects, ${differences} differences, ${orphans.length} orphans.`,
      );
    });
}
