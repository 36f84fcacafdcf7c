/** How one model of one provider is named: `provider/model`. Free of libraries: the workflow bundles this file. */
import type { Candidate } from './generation.ts';

/** Stands in place of a provider where a request names a route; alone, it is the default route. */
export const OUR_PREFIX = 'unbroken';

export function candidateName({ provider, model }: Candidate): string {
  return `${provider}/${model}`;
}

/**
 * Splits at the first slash: a model's own name may have more of them, a provider's has none.
 * @returns null if the name lacks a provider or a model.
 */
export function parseCandidate(name: string): Candidate | null {
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1) return null;
  return { provider: name.slice(0, slash), model: name.slice(slash + 1) };
}

export function isSameCandidate(a: Candidate, b: Candidate): boolean {
  return a.provider === b.provider && a.model === b.model;
}
