/** A limit on everything. Sizes in bytes, times in milliseconds; the unit is last in the name. */
export const LIMITS = {
  /** Largest JSON body of a request. */
  requestBodyBytes: 8 * 1024 * 1024,
  /** Largest frame that a WebSocket client may send. */
  webSocketFrameBytes: 64 * 1024,
  /** Generations that one WebSocket may follow at once. */
  subscriptionsPerSocket: 256,
  messagesPerRequest: 1_000,
  partsPerMessage: 256,
  toolsPerRequest: 128,
  idempotencyKeyChars: 255,
  /** Text that a writer may hold before it stops reading from its provider. */
  writerBufferBytes: 256 * 1024,
  /** Events in one atomic append. */
  eventsPerAppend: 512,
  /** Output that may wait in this process for one slow viewer. */
  viewerBufferBytes: 64 * 1024,
  /** Stream entries that a relay reads from the log in one round trip. */
  entriesPerRead: 64,
  /** Recent events of one generation that the relay keeps for all its viewers. */
  relayWindowBytes: 256 * 1024,
  /** A viewer that takes nothing for so long is closed; its cursor stays good. */
  viewerStallMs: 60_000,
  /** Silence after which the relay writes a comment or ping, below the 30 s of common proxies. */
  relayHeartbeatMs: 10_000,
  /** A log that never ended is dropped after this. */
  openLogTtlMs: 7 * 24 * 3_600_000,
  /** A stream that runs for longer is adopted by an activity that heartbeats; well below the workflow task timeout. */
  adoptStreamAfterMs: 1_000,
  /** Provider errors of one candidate before the next candidate is tried. */
  providerErrorsPerCandidate: 3,
  /** Longest wait that a provider's Retry-After may ask of us before we fall back. */
  retryAfterMs: 30_000,
  connectMs: 5_000,
  firstTokenMs: 10_000,
  betweenTokensMs: 15_000,
  generationMs: 30 * 60_000,
  cacheLookUpMs: 150,
  defaultMaxOutputTokens: 4_096,
  maxOutputTokens: 1_000_000,
} as const;
