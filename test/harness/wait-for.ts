/**
 * Waits until a condition holds and returns its value. A test waits for what must become true, never for a time.
 * Throws with the name of the condition when `withinMs` have passed.
 */
export async function waitFor<Value>(
  what: string,
  condition: () => Value | undefined | null | false | Promise<Value | undefined | null | false>,
  withinMs = 120_000,
): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`did not become true within ${withinMs} ms: ${what}`);
    await pause(20);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
