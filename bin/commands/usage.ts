/**
 * `unbroken usage`: sums what the ledger's entries say was spent. The ledger is the truth about money, so the sums are
 * those of the budgets; calls that a cache answered cost nothing and are not in it. By prompt it prints what each
 * version cost, from the statistics of the prompts.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatUsd } from '../../contracts/money.ts';
import { type ConnectionFlags, connect, connectionOf, withConnection } from './connection.ts';
import { pages } from './pages.ts';
import { printJson } from './print-json.ts';
import { printTable } from './print-table.ts';

const GROUPS = ['day', 'user', 'team', 'key', 'model', 'prompt'] as const;
type Group = (typeof GROUPS)[number];

interface UsageFlags extends ConnectionFlags {
  readonly by: Group;
  readonly from?: string;
  readonly until?: string;
  readonly days: number;
}

interface Entry {
  readonly kind: string;
  /** When the reservation was made: the day on which the spending counts. */
  readonly on: number;
  readonly generation: string;
  readonly user: string;
  readonly team: string;
  readonly key: string;
  readonly provider: string;
  readonly model: string;
  readonly spentTokens: number;
  readonly spentMicroUsd: number;
}

interface Row {
  readonly name: string;
  readonly generations: number;
  readonly tokens: number;
  readonly costMicroUsd: number;
}

const DAY_MS = 24 * 3_600_000;

export function defineUsage(command: Command): void {
  withConnection(command)
    .addOption(new Option('--by <group>', 'what a row stands for').choices(GROUPS).default('day'))
    .option('--days <count>', 'how many days back, today included', wholeNumber, 7)
    .option('--from <day>', 'such as 2026-11-24 (UTC); instead of --days')
    .option('--until <day>', 'default: today')
    .action(async (flags: UsageFlags) => {
      const period = periodOf(flags, Date.now());
      const rows = flags.by === 'prompt' ? await promptRows(flags) : await ledgerRows(flags, period);
      const total = totalOf(rows);
      if (flags.json === true) {
        printJson({ by: flags.by, ...(flags.by === 'prompt' ? {} : period), data: rows, total });
        return;
      }
      printTable([[flags.by.toUpperCase(), 'GENERATIONS', 'TOKENS', 'COST'], ...rows.map(cellsOf)]);
      const span =
        flags.by === 'prompt' ? 'since the first use' : `from ${period.from} until ${period.until}`;
      console.log(`\n${total.tokens} tokens, ${formatUsd(total.costMicroUsd)} ${span}`);
    });
}

function periodOf({ from, until, days }: UsageFlags, nowMs: number): { from: string; until: string } {
  const last = until ?? dayOf(nowMs);
  return { from: from ?? dayOf(Date.parse(last) - (days - 1) * DAY_MS), until: last };
}

async function ledgerRows(flags: UsageFlags, period: { from: string; until: string }): Promise<Row[]> {
  const groups = new Map<string, { generations: Set<string>; tokens: number; costMicroUsd: number }>();
  for await (const entry of pages<Entry>(connectionOf(flags), '/v1/budgets/entries', period)) {
    if (entry.spentTokens === 0 && entry.spentMicroUsd === 0) continue;
    const name = nameOf(entry, flags.by) || '-';
    const group = groups.get(name) ?? { generations: new Set(), tokens: 0, costMicroUsd: 0 };
    groups.set(name, group);
    group.generations.add(entry.generation);
    group.tokens += entry.spentTokens;
    group.costMicroUsd += entry.spentMicroUsd;
  }
  const rows = [...groups].map(([name, { generations, tokens, costMicroUsd }]) => ({
    name,
    generations: generations.size,
    tokens,
    costMicroUsd,
  }));
  const isByDay = flags.by === 'day';
  return rows.sort((a, b) =>
    isByDay ? a.name.localeCompare(b.name) : b.costMicroUsd - a.costMicroUsd || b.tokens - a.tokens,
  );
}

function nameOf(entry: Entry, by: Group): string {
  if (by === 'day') return dayOf(entry.on);
  if (by === 'model') return `${entry.provider}/${entry.model}`;
  return by === 'prompt' ? '' : entry[by];
}

async function promptRows(flags: UsageFlags): Promise<Row[]> {
  const client = connect(flags).prompts;
  const all = await client.list();
  const stats = await Promise.all(all.map(({ name }) => client.stats(name)));
  return stats.flatMap(({ name, versions }) =>
    versions
      .filter(({ requests }) => requests > 0)
      .map(({ version, requests, inputTokens, outputTokens, costMicroUsd }) => ({
        name: `${name}@${version}`,
        generations: requests,
        tokens: inputTokens + outputTokens,
        costMicroUsd,
      })),
  );
}

function totalOf(rows: readonly Row[]): { tokens: number; costMicroUsd: number } {
  return {
    tokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    costMicroUsd: rows.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
  };
}

function cellsOf({ name, generations, tokens, costMicroUsd }: Row): string[] {
  return [name, String(generations), String(tokens), formatUsd(costMicroUsd)];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new InvalidArgumentError('expected a whole number up to 999');
  return Number(text);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
