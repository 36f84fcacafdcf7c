/** What `npm run bench -- growth` prints. */
import { type Growth, PROCESSES } from './growth-row.ts';
import { round } from './load.ts';

export function printGrowth(rows: readonly Growth[], idle: Growth['cpuMs']): void {
  console.log('\nWhat is kept of a generation, and what its reader sees');
  console.table(tableOf(rows, keptRow));
  console.log('\nBytes of one log: as it was appended, packed at its end, and archived');
  console.table(tableOf(rows, logRow));
  console.log('\nCPU ms of a generation, by process, without what each uses when nothing runs');
  console.table(tableOf(rows, cpuRow));
  const idleCpu = PROCESSES.map((name) => `${name} ${round(idle[name])}`).join(', ');
  console.log(`CPU ms a second when nothing runs: ${idleCpu}`);
}

function keptRow(row: Growth): Record<string, number | string> {
  return {
    'history events': rangeOf(row.runs.map(({ events }) => events)),
    'history bytes': rangeOf(row.runs.map(({ bytes }) => bytes)),
    'state writes': rangeOf(row.runs.map(({ transitions }) => transitions)),
    'log bytes': Math.round(row.logBytes.whole),
    'ledger bytes': Math.round(row.bookBytes),
    'at once': row.peakAtOnce,
    'first token, median ms': row.firstMs,
    'p99 ms': row.firstP99Ms,
    'tokens/s': Math.round(row.tokensPerSecond),
  };
}

function logRow({ logBytes }: Growth): Record<string, number> {
  return {
    text: Math.round(logBytes.text),
    'events, appended': Math.round(logBytes.appended),
    'events, packed': Math.round(logBytes.packed),
    'with head and input': Math.round(logBytes.whole),
    'in Redis once archived': Math.round(logBytes.left),
    'object in the archive': Math.round(logBytes.object),
  };
}

function cpuRow(row: Growth): Record<string, number | string> {
  const total = PROCESSES.reduce((sum, name) => sum + row.cpuMs[name], 0);
  return {
    ...Object.fromEntries(PROCESSES.map((name) => [name, round(row.cpuMs[name])])),
    all: round(total),
    's per 1,000 tokens': Math.round((total / row.tokens) * 1_000) / 1_000,
    'Redis commands': Math.round(row.redisCommands),
    'Redis kB': round(row.redisNetworkBytes / 1_000),
    'worker MiB': Math.round(row.peakWorkerMiB),
    'API MiB': Math.round(row.peakApiMiB),
  };
}

function tableOf(rows: readonly Growth[], cells: (row: Growth) => object): Record<string, object> {
  return Object.fromEntries(rows.map((row) => [row.name, cells(row)]));
}

/** One number where all are the same. */
function rangeOf(values: readonly number[]): number | string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? least : `${least} to ${most}`;
}
