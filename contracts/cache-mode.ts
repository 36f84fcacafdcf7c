/** How a request uses the answer cache. Not in generation.ts, which brings a library: the workflow bundles this. */
export const cacheModes = ['off', 'on', 'read', 'write', 'refresh'] as const;
export type CacheMode = (typeof cacheModes)[number];

/** What found that a stored question asks the same. */
export const cacheMatches = ['same-words', 'rules', 'model', 'judge'] as const;
export type CacheMatch = (typeof cacheMatches)[number];

/** The mode for a caller whose answer must not be stored. */
export function withoutStoring(mode: CacheMode): CacheMode {
  return cacheUseOf(mode).reads ? 'read' : 'off';
}

/** Whether a stored answer may be used, and whether this one is stored. */
export function cacheUseOf(mode: CacheMode): { readonly reads: boolean; readonly writes: boolean } {
  return { reads: mode === 'on' || mode === 'read', writes: mode !== 'off' && mode !== 'read' };
}
