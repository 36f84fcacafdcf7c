/** `node:assert` for code that also runs in browsers and workflows. A violation is a bug of ours, never bad input. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Broken invariant: ${message}.`);
}
