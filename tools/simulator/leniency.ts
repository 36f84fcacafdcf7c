/**
 * Calls that are not checked by the vendor's rules: a test may send values that are made from types alone, and look
 * only at what arrives.
 */
import { z } from 'zod';

export const lenientSchema = z.strictObject({
  /** A substring of the path or the body. */
  match: z.string().min(1),
});

export class Leniency {
  readonly #matches: string[] = [];

  add({ match }: z.infer<typeof lenientSchema>): void {
    this.#matches.push(match);
  }

  clear(): void {
    this.#matches.length = 0;
  }

  /** @param call asked only where there is something to look for. */
  isFor(call: () => string): boolean {
    if (this.#matches.length === 0) return false;
    const text = call();
    return this.#matches.some((match) => text.includes(match));
  }
}
