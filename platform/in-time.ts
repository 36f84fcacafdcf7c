/** A wait that ends: what comes later is nobody's business any more. */

export class TooLate extends Error {
  override readonly name = 'TooLate';
}

/** @param what names the one who is late, such as `Qdrant`. */
export async function inTime<Value>(what: string, timeoutMs: number, work: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TooLate(`${what} did not answer within ${timeoutMs} ms`)),
      Math.max(0, timeoutMs),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // It may fail after it was given up, and then nobody is there to hear of it.
    work.catch(() => undefined);
  }
}
