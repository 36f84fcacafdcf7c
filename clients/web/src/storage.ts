/** What the page keeps in the browser. One that blocks cookies throws at each use: there it is kept in memory. */

/** Its own properties are what is stored, as in a browser. */
class MemoryStorage implements Storage {
  [name: string]: unknown;

  get length(): number {
    return Object.keys(this).length;
  }

  key(index: number): string | null {
    return Object.keys(this)[index] ?? null;
  }

  getItem(name: string): string | null {
    return Object.hasOwn(this, name) ? String(this[name]) : null;
  }

  setItem(name: string, value: string): void {
    this[name] = value;
  }

  removeItem(name: string): void {
    delete this[name];
  }

  clear(): void {
    for (const name of Object.keys(this)) delete this[name];
  }
}

function storageOr(stored: () => Storage): Storage {
  try {
    return stored();
  } catch {
    return new MemoryStorage();
  }
}

export const lasting = storageOr(() => localStorage);
export const ofThisTab = storageOr(() => sessionStorage);
