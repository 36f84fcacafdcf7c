/** `unbroken budgets ...`: limits, balances, the ledger's entries, and a running generation's cap. Wants an admin key. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Call, requestJson } from '../../clients/typescript/unbroken-client.ts';
import type { BudgetLimit } from '../../contracts/budgets.ts';
import { formatUsd } from '../../contracts/money.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';

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
  readonly json?: boolean;
}

type Page<Item> = { readonly data: readonly Item[]; readonly next: string | null };
type Row = Readonly<Record<string, string | number | boolean | null | undefined>>;

interface Balance {
  readonly window: string;
  readonly resetsAtMs: number;
  readonly spentTokens: number;
  readonly reservedTokens: number;
  readonly spentMicroUsd: number;
  readonly reservedMicroUsd: number;
  readonly limits: readonly { unit: string; limit: number; remaining: number; mode: string }[];
}

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

function queryOf(values: Row): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[name, String(value)] as [string, string]],
  );
  return `?${new URLSearchParams(given)}`;
}

async function* pages<Item>(flags: ConnectionFlags, path: string, query: Row): AsyncGenerator<Item> {
  let after: string | undefined;
  do {
    const page = await call<Page<Item>>(flags, {
      method: 'GET',
      path: `${path}${queryOf({ ...query, limit: 1_000, after })}`,
    });
    yield* page.data;
    after = page.next ?? undefined;
  } while (after !== undefined);
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
    .option('--id <name>', 'which one; * for each that has no limit of its own', '*')
    .requiredOption('--window <window>', 'day, month, or rolling: 1h to 31d')
    .option('--unit <unit>', 'tokens or micro-usd', 'tokens');
}

const time = (ms: number) => new Date(ms).toISOString();
const inUnit = (unit: string, count: number) => (unit === 'tokens' ? `${count} tokens` : formatUsd(count));

export function addBudgetCommands(budgets: Command): void {
  addLimitCommands(budgets);
  addLedgerCommands(budgets);
  withConnection(budgets.command('raise-cap').description('raise the output cap of a running generation'))
    .argument('<id>')
    .argument('<tokens>', 'the new cap of the whole output', amount)
    .action(async (id: string, maxOutputTokens: number, flags: ConnectionFlags) => {
      const path = `/v1/generations/${encodeURIComponent(id)}/cap`;
      await call(flags, { method: 'POST', path, body: { maxOutputTokens } });
      console.error(`The cap of ${id} is at least ${maxOutputTokens} tokens now, if it still runs.`);
    });
  withConnection(budgets.command('stop').description('stop a running generation; what it used is billed'))
    .argument('<id>')
    .action(async (id: string, flags: ConnectionFlags) => {
      await call(flags, { method: 'POST', path: `/v1/generations/${encodeURIComponent(id)}/stop` });
      console.error(`Stopping ${id}.`);
    });
}

function addLimitCommands(budgets: Command): void {
  withKey(budgets.command('set').description('set a limit, or change it'))
    .requiredOption('--amount <count>', 'tokens or micro-USD; none: no limit', amount)
    .option('--soft', 'only warn')
    .option('--warn-at <share>', 'the share at which a warning is given; default: 0.8', share)
    .option('--time-zone <name>', "of day and month, such as Europe/Berlin; default: the config's")
    .action(async ({ per, id, window, unit, soft, warnAt, timeZone, ...flags }: SetFlags) => {
      const mode = soft === true ? 'soft' : 'hard';
      const body = { per, id, window, unit, amount: flags.amount, mode, warnAt, timeZone };
      const { name } = await call<{ name: string }>(flags, {
        method: 'PUT',
        path: '/v1/budgets/limits',
        body,
      });
      console.error(`Set ${name}.`);
    });
  withKey(budgets.command('remove').description("take a limit back; the config's own applies again")).action(
    async ({ per, id, window, unit, ...flags }: KeyFlags) => {
      const path = `/v1/budgets/limits${queryOf({ per, id, window, unit })}`;
      await call(flags, { method: 'DELETE', path });
      console.error(`Removed ${per}/${id}/${window}/${unit}.`);
    },
  );
  withConnection(budgets.command('list').description('list the limits')).action(
    async (flags: ConnectionFlags) => {
      for await (const one of pages<BudgetLimit & { name: string; source: string }>(
        flags,
        '/v1/budgets/limits',
        {},
      )) {
        const zone = one.timeZone ?? '';
        const limit = one.amount === null ? 'no limit' : inUnit(one.unit, one.amount);
        console.log(
          [one.name, limit, one.mode, `warns at ${one.warnAt}`, one.source, zone].join('\t').trimEnd(),
        );
      }
    },
  );
}

function addLedgerCommands(budgets: Command): void {
  withConnection(budgets.command('show').description('show the balances of one user, team or key'))
    .argument('<subject>', 'user, team or key')
    .argument('<id>')
    .action(async (per: string, id: string, flags: ConnectionFlags) => {
      const path = `/v1/budgets/balances${queryOf({ per, id })}`;
      const { data } = await call<{ data: readonly Balance[] }>(flags, { method: 'GET', path });
      for (const one of data) {
        const spent = `spent ${one.spentTokens} tokens, ${formatUsd(one.spentMicroUsd)}`;
        const reserved = `reserved ${one.reservedTokens} tokens, ${formatUsd(one.reservedMicroUsd)}`;
        const limits = one.limits.map(
          ({ unit, limit, remaining, mode }) =>
            `${mode}: ${inUnit(unit, remaining)} of ${inUnit(unit, limit)} left`,
        );
        console.log([one.window, spent, reserved, ...limits, `resets ${time(one.resetsAtMs)}`].join('\t'));
      }
    });
  withConnection(budgets.command('entries').description("list the ledger's entries, oldest first"))
    .option('--from <day>', 'such as 2026-11-24 (UTC); default: today')
    .option('--until <day>')
    .option('--generation <id>')
    .option('--per <subject>', 'user, team or key; with --id')
    .option('--id <name>')
    .option('--json', 'print them as JSON')
    .action(async ({ from, until, generation, per, id, json, ...flags }: EntriesFlags) => {
      const query = { from, until, generation, per, id };
      for await (const entry of pages<Row & { at: number }>(flags, '/v1/budgets/entries', query)) {
        const { at, kind, generation: of, user, team, key, spentTokens, reservedTokens } = entry;
        const money = `${entry['spentMicroUsd']} ${entry['reservedMicroUsd']} micro-USD`;
        const row = [
          time(at),
          kind,
          of,
          user,
          team,
          key,
          `spent ${spentTokens} reserved ${reservedTokens}`,
          money,
        ];
        console.log(json === true ? JSON.stringify(entry) : row.join('\t'));
      }
    });
  withConnection(budgets.command('reconcile').description('recompute all balances from entries'))
    .option('--repair', 'put right what differs, and release what no run will settle')
    .action(async ({ repair = false, ...flags }: ConnectionFlags & { repair?: boolean }) => {
      const found = await call<Reconciled>(flags, {
        method: 'POST',
        path: '/v1/budgets/reconcile',
        body: { repair },
      });
      for (const one of found.listed) {
        console.log(
          [`${one.per}/${one.id}`, one.bucket, `is ${one.stored}`, `should be ${one.right}`].join('\t'),
        );
      }
      for (const id of found.orphans) console.log(`${id}\tno run will settle it`);
      const { entries, subjects, differences, orphans } = found;
      console.error(
        `${entries} entries, ${subjects} subjects, ${differences} differences, ${orphans.length} orphans.`,
      );
      if (!repair && differences + orphans.length > 0) process.exitCode = 1;
    });
}
