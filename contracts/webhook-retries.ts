/** How Temporal spaces the attempts at a webhook. */
export const WEBHOOK_RETRIES = { firstMs: 2_000, growsBy: 3, longestMs: 3_600_000 } as const;
