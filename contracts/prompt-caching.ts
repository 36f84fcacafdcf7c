/**
 * How the vendors' prompt caches are used: what they have read of an earlier prompt is cheaper the next time. The
 * answer cache is another thing: it spares the whole call.
 */
/** How long a vendor that lets us choose should keep a prompt; `off`: nothing is done beside what the client says. */
export const promptCachingModes = ['5m', '1h', 'off'] as const;
export type PromptCaching = (typeof promptCachingModes)[number];
