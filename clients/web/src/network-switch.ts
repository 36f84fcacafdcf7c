/**
 * A `fetch` with a switch. `cut` ends the open connections, as a lost network does, and holds new ones back until
 * `restore`. So the page can show what a disconnect costs: nothing but time.
 */
export class NetworkSwitch {
  readonly #fetch: typeof globalThis.fetch;
  #connections = new AbortController();
  #outage: PromiseWithResolvers<void> | null = null;

  constructor(fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis)) {
    this.#fetch = fetch;
  }

  get isCut(): boolean {
    return this.#outage !== null;
  }

  /** A property, so that it can be passed on without its object. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const callerSignal = init?.signal ?? undefined;
    await unlessAborted(this.#outage?.promise, callerSignal);
    const { signal } = this.#connections;
    return this.#fetch(input, {
      ...init,
      signal: callerSignal === undefined ? signal : AbortSignal.any([callerSignal, signal]),
    });
  };

  cut(): void {
    if (this.#outage !== null) return;
    this.#outage = Promise.withResolvers();
    this.#connections.abort(new TypeError('the connection was cut'));
  }

  restore(): void {
    this.#connections = new AbortController();
    this.#outage?.resolve();
    this.#outage = null;
  }
}

async function unlessAborted(
  waiting: Promise<void> | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
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
