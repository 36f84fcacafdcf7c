let count = 0;

/**
 * A prompt that no other test has, so that no answer is shared, which tells the simulated provider how long its
 * answer is and how fast it comes.
 */
export function promptOf(plan: { tokens: number; delayMs?: number; firstMs?: number }): string {
  count += 1;
  const delay = plan.delayMs === undefined ? '' : ` delay_ms=${plan.delayMs}`;
  const first = plan.firstMs === undefined ? '' : ` first_ms=${plan.firstMs}`;
  return `Tell me story ${process.pid}-${Date.now()}-${count}. [[sim tokens=${plan.tokens}${delay}${first}]]`;
}
