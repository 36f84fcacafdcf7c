/**
 * A `fetch` with a switch: cutting it ends the connections that are open, as a lost network does, and holds new ones
 * back until it is joined again. So the page can show what a cut costs: nothing but time.
 */
export interface Line {
  readonly fetch: typeof globalThis.fetch;
  readonly isCut: boolean;
  cut(): void;
  join(): void;
}

export function createLine(fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)): Line {
  let connections = new AbortController();
  let joined: Promise<void> = Promise.resolve();
  let join: (() => void) | undefined;
  return {
    get isCut() {
      return join !== undefined;
    },
    fetch: async (input, init) => {
      const given = init?.signal ?? undefined;
      await unlessAborted(joined, given);
      const { signal } = connections;
      return fetch(input, {
        ...init,
        signal: given === undefined ? signal : AbortSignal.any([given, signal]),
      });
    },
    cut: () => {
      if (join !== undefined) return;
      joined = new Promise((resolve) => {
        join = resolve;
      });
      connections.abort(new TypeError('the connection was cut'));
    },
    join: () => {
      connections = new AbortController();
      join?.();
      join = undefined;
    },
  };
}

async function unlessAborted(waiting: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return waiting;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([waiting, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
