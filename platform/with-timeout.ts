/** Bounds a wait. The work itself is not stopped, because a promise cannot be; its later result or error is ignored. */

export class TooLate extends Error {
  override readonly name = 'TooLate';
}

/**
 * Rejects with `TooLate` when the promise is still pending after `timeoutMs`.
 * @param what names the work in the error, such as `Qdrant`.
 */
export function withTimeout<Value>(what: string, timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new TooLate(`${what} did not answer within ${timeoutMs} ms`));
    // In a busy process the timer fires before Node reads a reply that has already been received. `setImmediate` runs
    // after that read, so the reply wins.
    const timer = setTimeout(() => setImmediate(expire), Math.max(0, timeoutMs));
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
