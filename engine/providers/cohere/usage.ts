/**
 * Cohere reports counted and billed tokens. The billed ones matter here; without them, the counted ones do. What it
 * adds to a prompt itself is not billed, and begins the prompt: it is the first of what the cache has. Sources: Cohere,
 * "How Does Cohere's Pricing Work?", and the types of its client.
 */
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

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
  const { billedUnits: billed, tokens, cachedTokens } = usage ?? {};
  const unbilled = Math.max(0, count(tokens?.inputTokens) - count(billed?.inputTokens));
  const read = (counted: Tokens | null | undefined, cached: number) =>
    disjointUsage({ input: counted?.inputTokens, cached, output: counted?.outputTokens });
  return read(billed, Math.max(0, count(cachedTokens) - unbilled)) ?? read(tokens, count(cachedTokens));
}
