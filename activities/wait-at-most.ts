/**
 * @param cut ends the wait early.
 * @returns the result of the work, or null if it takes longer. It continues then, and its result is ignored.
 */
export function waitAtMost<Value>(
  limitMs: number,
  work: Promise<Value>,
  cut?: AbortSignal,
): Promise<Value | null> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      stopWaiting();
      resolve(null);
    };
    const timer = setTimeout(giveUp, limitMs);
    const stopWaiting = () => {
      clearTimeout(timer);
      cut?.removeEventListener('abort', giveUp);
    };
    cut?.addEventListener('abort', giveUp);
    work.then(resolve, reject).finally(stopWaiting);
    if (cut?.aborted) giveUp();
  });
}
