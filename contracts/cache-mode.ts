/** What a request wants of the answer cache. Apart from generation.ts: the workflow bundles it, free of libraries. */
export const cacheModes = ['off', 'on', 'read', 'write', 'refresh'] as const;
export type CacheMode = (typeof cacheModes)[number];

/** The same wish of a caller whose answer must not be stored. */
export function withoutStoring(mode: CacheMode): CacheMode {
  return cacheUseOf(mode).reads ? 'read' : 'off';
}

/** Whether a stored answer may be used, and whether this one is stored. */
export function cacheUseOf(mode: CacheMode): { readonly reads: boolean; readonly writes: boolean } {
  return { reads: mode === 'on' || mode === 'read', writes: mode !== 'off' && mode !== 'read' };
}
