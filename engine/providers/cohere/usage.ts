/** Cohere reports what it counted and what it bills; the bill is what matters here, the count where there is none. */
import type { Usage } from '../../../contracts/money.ts';
import { disjointUsage } from '../disjoint-usage.ts';

interface Tokens {
  readonly inputTokens?: number | null;
  readonly outputTokens?: number | null;
}

export interface ReportedUsage {
  readonly billedUnits?: Tokens | null;
  readonly tokens?: Tokens | null;
  readonly cachedTokens?: number | null;
}

export function toUsage(usage: ReportedUsage | undefined | null): Usage | null {
  const read = (counted: Tokens | null | undefined) =>
    disjointUsage({
      input: counted?.inputTokens,
      cached: usage?.cachedTokens,
      output: counted?.outputTokens,
    });
  return read(usage?.billedUnits) ?? read(usage?.tokens);
}
