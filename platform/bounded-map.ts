/** A map for memoised values that holds a limited number of entries and evicts the least recently used one. */

/** A value must not be `undefined`, which means "no entry". */
export class BoundedMap<Key, Value> {
  readonly #mostEntries: number;
  /** A `Map` iterates in insertion order, so the entry that was used least recently comes first. */
  readonly #entries = new Map<Key, Value>();

  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    // A map that is half empty evicts nothing soon, and to keep the order costs more than the look-up.
    if (value === undefined || this.#entries.size * 2 <= this.#mostEntries) return value;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#mostEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }

  /** The stored value, or the created one, which is then stored. If `create` throws, nothing is stored. */
  getOrCreate(key: Key, create: () => Value): Value {
    const stored = this.get(key);
    if (stored !== undefined) return stored;
    const created = create();
    this.set(key, created);
    return created;
  }

  delete(key: Key): boolean {
    return this.#entries.delete(key);
  }
}
