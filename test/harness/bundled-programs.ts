/**
 * The processes that suites start, each in one file with the packages that it uses: a start reads some 3,000 modules
 * otherwise, a second of CPU, some 300 times in a run.
 */
import { basename, dirname, join } from 'node:path';

const VARIABLE = 'UNBROKEN_TEST_PROGRAMS';

export const PROGRAMS = ['worker/main.ts', 'api/main.ts', 'tools/simulator/main.ts'];

/** Tells the processes that this one starts later, such as the runner's workers, where the programs are. */
export function announcePrograms(folder: string): void {
  process.env[VARIABLE] = folder;
}

/** @returns what Node runs for `entry`, a path from the root: the bundled program, if there is one. */
export function programOf(entry: string): string {
  const folder = process.env[VARIABLE];
  return folder !== undefined && PROGRAMS.includes(entry) ? join(folder, `${nameOf(entry)}.mjs`) : entry;
}

/** @returns what Node needs to keep what it compiles of the programs: the next start of one is a fifth cheaper. */
export function compileCacheOf(): Readonly<Record<string, string>> {
  const folder = process.env[VARIABLE];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: join(folder, 'compiled') };
}

/** @returns the name of the file that a program or thread becomes, without its ending. */
export function nameOf(path: string): string {
  const name = basename(path, '.ts');
  return name === 'main' ? basename(dirname(path)) : name;
}
