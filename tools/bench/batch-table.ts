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
  /** After a collection, when most lines had ended: heaps, and what buffers hold outside of them. */
  readonly referencedMiB: MemoryMiB;
}

/**
 * Resident memory is shown and not judged: V8 collects rarely while its limit is far, so a worker whose heap holds
 * 160 MiB keeps several hundred MiB of pages, more with each minute of load. What is referenced hardly differs.
 */
const MOST_GROWTH_MIB = 30;

export function tableOf(rows: readonly BatchRow[]): Record<string, Record<string, number>> {
  return Object.fromEntries(rows.map((row) => [String(row.lines), cellsOf(row)]));
}

function cellsOf({
  lines,
  seconds,
  cpuMsPerLine,
  residentMiB,
  referencedMiB,
}: BatchRow): Record<string, number> {
  const cpu = Object.entries(cpuMsPerLine);
  const all = cpu.reduce((sum, [, ms]) => sum + ms, 0);
  return {
    'lines/s': round(lines / seconds),
    ...Object.fromEntries(cpu.map(([name, ms]) => [`${name} ms`, round(ms)])),
    'all ms': round(all),
    'API MiB': Math.round(residentMiB.api),
    'worker MiB': Math.round(residentMiB.worker),
    'API referenced': Math.round(referencedMiB.api),
    'worker referenced': Math.round(referencedMiB.worker),
  };
}

/** In words, what has grown from the smallest batch to the largest by more than it may. */
export function growthIn(rows: readonly BatchRow[]): string[] {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return [];
  return (['api', 'worker'] as const).flatMap((name) => {
    const grownMiB = last.referencedMiB[name] - first.referencedMiB[name];
    if (grownMiB <= MOST_GROWTH_MIB) return [];
    return [
      `${name}: ${round(grownMiB)} MiB more are referenced with ${last.lines} lines than with ${first.lines}; ` +
        `at most ${MOST_GROWTH_MIB} are allowed`,
    ];
  });
}
