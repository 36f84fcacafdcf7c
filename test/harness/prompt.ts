let count = 0;

/**
 * A prompt that no other test has, so that no answer is shared. Its directive sets the length and the pace of the
 * answer, which is in many scripts: whatever cuts text in the wrong place is noticed.
 */
export function promptOf(plan: {
  tokens: number;
  delayMs?: number;
  firstMs?: number;
  /** The provider is silent after so many tokens of its first call. */
  silence?: { afterTokens: number; ms: number };
  /** After so many tokens of its first call it waits for `sim.release()`: what a test does meanwhile may take long. */
  holdAt?: number;
}): string {
  count += 1;
  const delay = plan.delayMs === undefined ? '' : ` delay_ms=${plan.delayMs}`;
  const first = plan.firstMs === undefined ? '' : ` first_ms=${plan.firstMs}`;
  const gap =
    plan.silence === undefined ? '' : ` gap_at=${plan.silence.afterTokens} gap_ms=${plan.silence.ms}`;
  const hold = plan.holdAt === undefined ? '' : ` gap_at=${plan.holdAt}`;
  return `Tell me story ${process.pid}-${Date.now()}-${count}. [[sim script=mixed tokens=${plan.tokens}${delay}${first}${gap}${hold}]]`;
}
