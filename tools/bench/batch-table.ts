/** What `npm run bench -- batch` prints, and whether memory grew with the lines. */
import { round } from './load.ts';

export interface MemoryMiB {
  readonly api: number;
  readonly worker: number;
}

export interface BatchRow {
  readonly lines: number;
  /** From the upload of the file to the last byte of its results. */
  readonly seconds: number;
  readonly cpuMsPerLine: Readonly<Record<string, number>>;
  /** The most while it ran. */
  readonly residentMiB: MemoryMiB;
  /** After a collection, when most lines had ended: what is still referenced. */
  readonly heapMiB: MemoryMiB;
}

/** What the garbage collector leaves lying around differs from run to run; what is referenced hardly does. */
const MOST_GROWTH_MIB = { resident: 150, heap: 30 } as const;

export function tableOf(rows: readonly BatchRow[]): Record<string, Record<string, number>> {
  return Object.fromEntries(rows.map((row) => [String(row.lines), cellsOf(row)]));
}

function cellsOf({ lines, seconds, cpuMsPerLine, residentMiB, heapMiB }: BatchRow): Record<string, number> {
  const cpu = Object.entries(cpuMsPerLine);
  const all = cpu.reduce((sum, [, ms]) => sum + ms, 0);
  return {
    'lines/s': round(lines / seconds),
    ...Object.fromEntries(cpu.map(([name, ms]) => [`${name}, CPU ms a line`, round(ms)])),
    'all, CPU ms a line': round(all),
    'API MiB': Math.round(residentMiB.api),
    'worker MiB': Math.round(residentMiB.worker),
    'API heap MiB': Math.round(heapMiB.api),
    'worker heap MiB': Math.round(heapMiB.worker),
  };
}

/** In words, what has grown from the smallest batch to the largest by more than it may. */
export function growthIn(rows: readonly BatchRow[]): string[] {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return [];
  return (['api', 'worker'] as const).flatMap((name) => {
    const grown = {
      resident: last.residentMiB[name] - first.residentMiB[name],
      heap: last.heapMiB[name] - first.heapMiB[name],
    };
    return (['resident', 'heap'] as const)
      .filter((kind) => grown[kind] > MOST_GROWTH_MIB[kind])
      .map(
        (kind) =>
          `${name}: ${kind} memory grew by ${round(grown[kind])} MiB from ${first.lines} to ${last.lines} lines; ` +
          `at most ${MOST_GROWTH_MIB[kind]} are allowed`,
      );
  });
}
