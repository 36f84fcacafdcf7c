/**
 * A limit on everything, and the defaults of what the config or a request may set. Sizes in bytes, times in milliseconds;
 * the unit is last in the name.
 */

/** Hard bounds: no setting changes them. */
export const LIMITS = {
  /** Largest JSON body of a request. */
  requestBodyBytes: 8 * 1024 * 1024,
  /** Deepest nesting of a JSON body. */
  jsonDepth: 100,
  /** Values of a JSON body or frame: what it costs to check it grows with them, not with its bytes. */
  jsonValues: 100_000,
  /** The same where a body is lists of tokens: OpenAI takes 300,000 of them in one request. */
  embeddingsJsonValues: 310_000,
  /** A body over this is parsed in a turn of its own, so that requests in between are served. */
  largeBodyBytes: 64 * 1024,
  /** Longest message of an error. */
  errorMessageBytes: 1_024,
  /** All header lines of a request together. */
  headerBytes: 16 * 1024,
  headerLines: 100,
  /** Keys of one tenant: each is kept until it is revoked, and all are read to be listed. */
  keysPerTenant: 10_000,
  /** Longest life that a key with an end may have. */
  keyLifeMs: 10 * 365 * 24 * 3_600_000,
  /** Longest that the old secret of a rotated key stays good. */
  keyOverlapMs: 30 * 24 * 3_600_000,
  /** A ticket that is not used within this is void. */
  ticketMs: 30_000,
  /** A ticket that may be used again is void after this, whatever happens. */
  ticketReconnectsMs: 3_600_000,
  /** How long a browser may decrypt payloads for the Temporal UI. */
  codecSessionMs: 8 * 3_600_000,
  /** Largest frame that a WebSocket client may send. */
  webSocketFrameBytes: 64 * 1024,
  /** Conversations that one WebSocket keeps without having asked a model. */
  preparedBytesPerSocket: 8 * 1024 * 1024,
  /** An id of a generation, response or message as a client may send it. */
  idChars: 128,
  /** Generations that one WebSocket may follow at once. */
  subscriptionsPerSocket: 256,
  /** An end user as a vendor's client names it. */
  endUserChars: 512,
  messagesPerRequest: 1_000,
  partsPerMessage: 256,
  toolsPerRequest: 128,
  /** Items of an `input` in the format of OpenAI's Responses: a message, a call and a result are one each. */
  itemsPerRequest: 4_000,
  stopSequences: 16,
  metadataKeys: 64,
  /** Keys at the top of a JSON Schema. */
  schemaKeys: 256,
  idempotencyKeyChars: 255,
  /** Text that a writer may hold before it stops reading from its provider. */
  writerBufferBytes: 256 * 1024,
  /** Events in one atomic append. */
  eventsPerAppend: 512,
  /** Output that may wait in this process for one slow viewer. */
  viewerBufferBytes: 64 * 1024,
  /** Stream entries that a relay reads from the log in one round trip. */
  entriesPerRead: 64,
  /** Events that one such read takes, whatever their entries hold; more than any one entry does. */
  eventsPerRead: 1_024,
  /** Recent events of one generation that the relay keeps for all its viewers. */
  relayWindowBytes: 256 * 1024,
  /** A viewer that takes nothing for so long is closed; its cursor stays good. */
  viewerStallMs: 60_000,
  /** The input of an ended generation that nothing can continue is kept so long, for the steps that follow its end. */
  endedInputMs: 3_600_000,
  /** A log that never ended is dropped after this, with the input that was made for it. */
  openLogTtlMs: 7 * 24 * 3_600_000,
  /** A new generation that no worker has taken by then is started at Temporal, which hands it to one that is free. */
  handoffTakenMs: 40,
  /** A longer one is handed over without its input. */
  handoffChars: 64 * 1024,
  /** One that was taken, but not started by then, is started at Temporal too. */
  handoffStartedMs: 2_000,
  /** A stream that runs for longer is adopted by an activity that heartbeats; well below the workflow task timeout. */
  adoptStreamAfterMs: 1_000,
  /**
   * An answer with less text than this is restarted rather than continued by instruction: that saves nothing, and too
   * little is there to see whether the model begins again instead.
   */
  leastContinuedChars: 24,
  /**
   * Attempts of a generation that ended without an answer and without an error of its provider: its worker died, or the
   * response was lost. An input that kills every worker which reads its answer is paid for so often.
   */
  uncountedAttempts: 10,
  /** Provider errors of one candidate before the next candidate is tried. */
  providerErrorsPerCandidate: 3,
  /** Longest wait that a provider's Retry-After may ask of us before we fall back. */
  retryAfterMs: 30_000,
  /** A wait for a key that is not worth another candidate. */
  shortWaitMs: 3_000,
  /** The gate to the providers answers within this, or calls go on without it. The log is waited for meanwhile. */
  gateMs: 2_000,
  /** An append is sent again for so long while Redis is away; then its attempt ends, and another goes on. */
  appendAgainMs: 120_000,
  /**
   * A follower that stops waits this long for a leader that has fixed the shares and not ended its log. Longer than an
   * append is repeated: after it, the end that fixed the shares can no longer be written.
   */
  flightClosedMs: 180_000,
  /** A leader that is silent for this long is left by its followers. */
  leaderSilenceMs: 15_000,
  /** The time limit of the vendors' SDKs, whose own may be shorter; a generation has its deadline besides. */
  vendorCallMs: 30 * 60_000,
  /** A call for embeddings ends within this. */
  embeddingsMs: 60_000,
  /** What is read of a provider's error; the rest is cut off. */
  errorBodyBytes: 64 * 1024,
  /**
   * A reservation of this age that no run answers for is an orphan. Longer than a call for embeddings, and than Temporal
   * may need to write down a run that has reserved already.
   */
  orphanAfterMs: 15 * 60_000,
  /** Attempts of a step that fails by an error which does not say that a service is away; then it is given up. */
  oddErrorAttempts: 20,
  minDeadlineMs: 100,
  maxDeadlineMs: 30 * 24 * 3_600_000,
  /** Longest `generationMs` that the config may set: a day below the life of an open log, which must outlive its generation. */
  maxGenerationMs: 6 * 24 * 3_600_000,
  /** No comparison takes so long, unless something is wrong with it: then its thread is replaced. */
  verifierRunMs: 2_000,
  maxOutputTokens: 1_000_000,
  /** A cap that was learnt is never below this: one unusual answer must not need a continuation. */
  leastLearntTokens: 64,
  versionsPerPrompt: 10_000,
  promptsPerTenant: 10_000,
  labelsPerPrompt: 64,
  armsPerLabel: 16,
  messagesPerPrompt: 32,
  templateChars: 256 * 1024,
  variablesPerPrompt: 64,
  /** Places of all its variables together, and of all its text: each request that names it reads them again. */
  placesPerPrompt: 60_000,
  promptChars: 1024 * 1024,
  feedbackChars: 2_000,
  /** How long a generation is known to the statistics of its prompt after it was recorded. */
  statsMarkerMs: 8 * 24 * 3_600_000,
  feedbackKeptMs: 90 * 24 * 3_600_000,
  /** Versions of one prompt that its statistics show: the newest. */
  statsVersions: 100,
  /** Longest that the compression of one prompt may take; then it goes on as it is. */
  compressionMs: 8_000,
  /** Longest that the likeness of meaning may take; then words alone decide. */
  meaningMs: 3_000,
  /** Longer contexts are sent as they are. */
  compressionChars: 2_000_000,
  /** Text of one request that is counted by the tokenizer; the rest of it is taken for one token a byte. */
  countedBytes: 512 * 1024,
} as const;

/** What holds unless the config, the route or the request says otherwise. */
export const DEFAULTS = {
  /** Bodies and frames that one API process holds before they are worked off. */
  bytesInFlight: 256 * 1024 * 1024,
  bytesInFlightPerKey: 32 * 1024 * 1024,
  /** Inputs and prompts that a tenant keeps in Redis. */
  storedBytesPerTenant: 2 * 1024 * 1024 * 1024,
  /** Longest wait for room at a provider. */
  roomWaitMs: 10 * 60_000,
  /** A new generation waits so long for a Temporal that is away. */
  waitForTemporalMs: 3_000,
  /** A command to Redis waits so long for its answer. */
  redisAnswerMs: 5_000,
  connectMs: 5_000,
  firstTokenMs: 10_000,
  betweenTokensMs: 15_000,
  /** Silence of a reasoning model that has taken a call, before its first token. */
  thinkingMs: 180_000,
  generationMs: 30 * 60_000,
  cacheLookUpMs: 150,
  /** A look-up waits so long for its turn at the verifier; then it finds the same words only. */
  verifierWaitMs: 250,
  /** After this the verifier compares no further question; those that are left are not the same. */
  verifierCompareMs: 100,
  /** Silence after which the relay writes a comment or ping, below the 30 s of common proxies. */
  relayHeartbeatMs: 10_000,
  maxOutputTokens: 4_096,
  /** Longest value of a prompt's variable that does not say otherwise. */
  variableChars: 20_000,
} as const;
