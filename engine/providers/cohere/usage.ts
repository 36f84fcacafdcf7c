/** Cohere reports counted and billed tokens. The billed ones matter here; without them, the counted ones do. */
import type { Usage } from '../../../contracts/money.ts';
import { disjointUsage } from '../disjoint-usage.ts';

interface Tokens {
  readonly inputTokens?: number | null;
  readonly outputTokens?: number | null;
}

export interface CohereUsage {
  readonly billedUnits?: Tokens | null;
  readonly tokens?: Tokens | null;
  readonly cachedTokens?: number | null;
}

export function mapCohereUsage(usage: CohereUsage | undefined | null): Usage | null {
  const read = (counted: Tokens | null | undefined) =>
    disjointUsage({
      input: counted?.inputTokens,
      cached: usage?.cachedTokens,
      output: counted?.outputTokens,
    });
  return read(usage?.billedUnits) ?? read(usage?.tokens);
}
