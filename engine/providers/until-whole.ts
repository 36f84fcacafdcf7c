/**
 * Reads a stream to its end, but needs none once the answer is whole: some servers then break the connection, or keep
 * it open and say no more, perhaps but for comments. An answer that everybody has must not be asked for again.
 */

/** How long the rest may take to begin: usage, and what the format sends last. */
const REST_MS = 2_000;

interface WholeEnd {
  /** Whether nothing but its usage and its last event can follow. */
  readonly isWhole: () => boolean;
  /** Whether an error is one that the server has sent: it counts in any case. */
  readonly isSent: (error: unknown) => boolean;
}

export async function* untilWhole<Event>(
  stream: AsyncIterable<Event>,
  { isWhole, isSent }: WholeEnd,
): AsyncGenerator<Event> {
  const iterator = stream[Symbol.asyncIterator]();
  let isSilent = false;
  try {
    for (;;) {
      const next = isWhole() ? await restOf(iterator, isSent) : await iterator.next();
      isSilent = next === null;
      if (next === null || next.done) return;
      yield next.value;
    }
  } finally {
    const released = iterator.return?.();
    // One that waits for its server is released when the connection ends.
    if (!isSilent) await released;
    else released?.catch(() => undefined);
  }
}

/** @returns null if nothing follows. */
async function restOf<Event>(
  iterator: AsyncIterator<Event>,
  isSent: WholeEnd['isSent'],
): Promise<IteratorResult<Event> | null> {
  let overdue: NodeJS.Timeout | undefined;
  const silence = new Promise<null>((resolve) => {
    overdue = setTimeout(resolve, REST_MS, null);
  });
  try {
    return await Promise.race([iterator.next(), silence]);
  } catch (error) {
    if (isSent(error) || isAbort(error)) throw error;
    return null;
  } finally {
    clearTimeout(overdue);
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
