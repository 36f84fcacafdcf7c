/** @returns the result of the work, or null if it takes longer. It continues then, and its result is ignored. */
export function waitAtMost<Value>(limitMs: number, work: Promise<Value>): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
