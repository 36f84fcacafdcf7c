/**
 * Large inputs are read a few at a time, round-robin by tenant. One connection to Redis carries all replies, so each
 * small one waits behind the large ones before it, and a request of a few bytes may name an input of megabytes.
 */
const LARGE_BYTES = 256 * 1024;
const AT_ONCE = 2;

class LargeReads {
  /** By tenant, the one that is next first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = 0;

  async read<Value>(tenant: string, bytes: number, read: () => Promise<Value>): Promise<Value> {
    if (bytes < LARGE_BYTES) return read();
    if (this.#running < AT_ONCE) this.#running += 1;
    else await this.#turnOf(tenant);
    try {
      return await read();
    } finally {
      this.#pass();
    }
  }

  #turnOf(tenant: string): Promise<void> {
    return new Promise((resolve) => {
      const queue = this.#waiting.get(tenant) ?? [];
      queue.push(resolve);
      this.#waiting.set(tenant, queue);
    });
  }

  /** The place of a read that has ended goes to the next one. */
  #pass(): void {
    const [tenant, queue = []] = this.#waiting.entries().next().value ?? [];
    const next = queue.shift();
    if (tenant === undefined || next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(tenant);
    if (queue.length > 0) this.#waiting.set(tenant, queue);
    next();
  }
}

const reads = new LargeReads();

/** @param bytes of what is read. */
export function readInTurn<Value>(tenant: string, bytes: number, read: () => Promise<Value>): Promise<Value> {
  return reads.read(tenant, bytes, read);
}
