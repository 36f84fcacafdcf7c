/**
 * `unbroken usage`: what was used, from the sums that are written with each settlement. They equal the ledger's
 * entries, and they also count calls that a stored answer has saved.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { requestJson } from '../../clients/typescript/unbroken-client.ts';
import { formatUsd } from '../../contracts/money.ts';
import { DAY_MS, dayOf } from '../../contracts/time.ts';
import type { UsageSums, UsageView } from '../../contracts/usage.ts';
import { parseDurationMs } from '../../platform/parse-wait.ts';
import { type ConnectionFlags, connectionOf, withConnection } from './connection.ts';
import { queryOf } from './pages.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';

const GROUPS = ['day', 'user', 'team', 'key', 'model', 'prompt'] as const;
const GROUPS_PER_PAGE = 200;

interface UsageFlags extends ConnectionFlags {
  readonly by: (typeof GROUPS)[number];
  readonly since?: string;
  readonly from?: string;
  readonly until?: string;
  readonly days: number;
  readonly user?: string;
  readonly team?: string;
  readonly model?: string;
  readonly prompt?: string;
}

type Row = UsageSums & { readonly name: string };

interface UsageReport {
  readonly from: string;
  readonly until: string;
  readonly data: readonly Row[];
  readonly total: UsageSums;
}

export function defineUsage(command: Command): void {
  withConnection(command)
    .addOption(new Option('--by <group>', 'what a row stands for').choices(GROUPS).default('day'))
    .option('--since <time>', 'such as 30d, or a day such as 2026-11-24 (UTC)', sinceDay)
    .option('--days <count>', 'instead of --since: how many days back, today included', wholeNumber, 7)
    .option('--from <day>', 'the same as --since')
    .option('--until <day>', 'default: today')
    .option('--user <name>', 'of this user only')
    .option('--team <name>', 'of this team only')
    .option('--model <name>', 'of this model only: provider/model')
    .option('--prompt <name>', 'of this prompt only: name or name@version')
    .action(async (flags: UsageFlags) => {
      const report = await readReport(flags);
      const { from, until, data, total } = report;
      if (flags.json === true) return printJson({ by: flags.by, ...report });
      const heading = [flags.by.toUpperCase(), 'GENERATIONS', 'TOKENS', 'COST', 'CACHE HITS', 'SAVED'];
      printTable([heading, ...data.map(cellsOf)]);
      console.log(`\n${total.tokens} tokens, ${formatUsd(total.costMicroUsd)} from ${from} until ${until}`);
    });
}

async function readReport(flags: UsageFlags): Promise<UsageReport> {
  const { by, user, team, model, prompt } = flags;
  const filters = { ...periodOf(flags, Date.now()), user, team, model, prompt };
  const rows: Row[] = [];
  let after: string | undefined;
  for (;;) {
    const groups = by === 'day' ? undefined : by;
    const query = queryOf({ ...filters, by: groups, limit: GROUPS_PER_PAGE, after });
    const page = await requestJson<UsageView>(connectionOf(flags), {
      method: 'GET',
      path: `/v1/usage${query}`,
    });
    for (const { series: _, name, ...sums } of page.groups) rows.push({ name: name ?? '-', ...sums });
    if (page.next === null) {
      const { from, until, series, totals } = page;
      return { from, until, data: by === 'day' ? dayRows(series) : rows, total: totals };
    }
    after = page.next;
  }
}

/** Without the days on which nothing ended. */
function dayRows(series: UsageView['series']): Row[] {
  return series
    .filter(({ generations, tokens }) => generations + tokens > 0)
    .map(({ at, ...sums }) => ({ name: dayOf(at), ...sums }));
}

function periodOf(
  { since, from = since, until, days }: UsageFlags,
  nowMs: number,
): { from: string; until: string } {
  const last = until ?? dayOf(nowMs);
  return { from: from ?? dayOf(Date.parse(last) - (days - 1) * DAY_MS), until: last };
}

function cellsOf({ name, generations, tokens, costMicroUsd, cacheHits, savedMicroUsd }: Row): string[] {
  const cost = [formatUsd(costMicroUsd), String(cacheHits), formatUsd(savedMicroUsd)];
  return [name, String(generations), String(tokens), ...cost];
}

function sinceDay(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const ms = /^\d+\s*[a-z]+$/i.test(text) ? parseDurationMs(text) : undefined;
  if (ms === undefined) throw new InvalidArgumentError('expected a duration such as 30d, or a day');
  return dayOf(Date.now() - ms);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('expected a whole number up to 999');
  return Number(text);
}
