/**
 * The archived logs that this process has just read: a reader asks for the head and then for page after page. They are
 * remembered for seconds, because another process may erase them; that one leaves a mark in Redis meanwhile.
 */
import type { ArchivedLog } from './archived-log.ts';

/** For how long a log is remembered. */
export const REMEMBERED_MS = 10_000;
const MOST_CHARS = 32 * 1024 * 1024;

interface Read {
  readonly value: ArchivedLog;
  readonly chars: number;
}

interface Remembered {
  readonly read: Promise<Read | null>;
  readonly untilMs: number;
  chars: number;
}

export class RecentLogs {
  /** The oldest first. */
  readonly #logs = new Map<string, Remembered>();
  #chars = 0;

  /** @param isFresh `read` is called even if the log is remembered. */
  async get(
    generationId: string,
    { isFresh }: { readonly isFresh: boolean },
    read: () => Promise<Read | null>,
  ): Promise<ArchivedLog | null> {
    const known = this.#logs.get(generationId);
    if (known !== undefined && !isFresh && known.untilMs > Date.now())
      return (await known.read)?.value ?? null;
    this.forget(generationId);
    const remembered: Remembered = { read: read(), untilMs: Date.now() + REMEMBERED_MS, chars: 0 };
    this.#logs.set(generationId, remembered);
    try {
      const found = await remembered.read;
      if (found === null) this.#forgetThis(generationId, remembered);
      else this.#count(generationId, remembered, found.chars);
      return found?.value ?? null;
    } catch (error) {
      this.#forgetThis(generationId, remembered);
      throw error;
    }
  }

  forget(generationId: string): void {
    const known = this.#logs.get(generationId);
    if (known !== undefined) this.#forgetThis(generationId, known);
  }

  #count(generationId: string, remembered: Remembered, chars: number): void {
    if (this.#logs.get(generationId) !== remembered) return;
    remembered.chars = chars;
    this.#chars += chars;
    const nowMs = Date.now();
    for (const [id, log] of this.#logs) {
      if (this.#chars <= MOST_CHARS && log.untilMs > nowMs) break;
      this.#forgetThis(id, log);
    }
  }

  #forgetThis(generationId: string, remembered: Remembered): void {
    if (this.#logs.get(generationId) !== remembered) return;
    this.#logs.delete(generationId);
    this.#chars -= remembered.chars;
  }
}
