/** @returns what the work comes to, or null where it takes longer; then it goes on, and nobody hears of it. */
export function waitAtMost<Value>(limitMs: number, work: Promise<Value>): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
