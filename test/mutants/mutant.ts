/** A real bug, put back: what it breaks, the one place that it changes, and the check that must see it. */
export interface Mutant {
  readonly name: string;
  /** The promise that the product no longer keeps with it. */
  readonly breaks: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly caughtBy: Check;
}

export type Check =
  /** Test files, as a path from the root. */
  | { readonly tests: readonly [string, ...string[]] }
  /** The simulation of the core, with as many seeds. */
  | { readonly simulation: number };

/** @returns the file with the bug in it. Throws where the place is not there exactly once. */
export function mutate({ name, file, find, replace }: Mutant, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`${name}: the text to replace stands ${parts.length - 1} times in ${file}, not once.`);
  }
  return parts.join(replace);
}
