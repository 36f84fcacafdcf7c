/**
 * The limits of the product. `LIMITS` are fixed. `DEFAULTS` apply unless the config, a route or a request sets another
 * value. A name ends with its unit. Not here: what a user, team or key may spend (docs/budgets.md), and the settings of
 * keys, breakers, cache and retention, whose defaults are in the schemas of `platform/config/`.
 */

import { DAY_MS, HOUR_MS } from './time.ts';

/** Hard bounds: no setting changes them. */
export const LIMITS = {
  /** Longest text of a prompt, and the least that the settings on bytes may be. */
  requestBodyBytes: 8 * 1024 * 1024,
  /** Highest that `http.bodyBytes` may be set: Redis takes no longer value. */
  mostBodyBytes: 512 * 1024 * 1024,
  /** Deepest nesting of a JSON body. */
  jsonDepth: 100,
  /** Values of a JSON body or frame: the cost of checking it grows with them, not with its bytes. `http.jsonValues`. */
  jsonValues: 100_000,
  mostJsonValues: 1_000_000,
  /** The same for a body of token lists: OpenAI takes 300,000 tokens in one request. */
  embeddingsJsonValues: 310_000,
  /** A larger body is parsed in a separate turn of the event loop, so that other requests are served in between. */
  largeBodyBytes: 64 * 1024,
  /** Longest message of an error. */
  errorMessageBytes: 1_024,
  /** All header lines of a request together. */
  headerBytes: 16 * 1024,
  headerLines: 100,
  /** Keys of one tenant: each is kept until it is revoked, and listing reads all of them. */
  keysPerTenant: 10_000,
  /** Longest life of a key that expires. */
  keyLifeMs: 10 * 365 * DAY_MS,
  /** Longest that the old secret of a rotated key stays valid. */
  keyOverlapMs: 30 * DAY_MS,
  /** An unused ticket expires after this. */
  ticketMs: 30_000,
  /** A reusable ticket expires after this, however often it is used. */
  ticketReconnectsMs: HOUR_MS,
  /** How long a browser may decrypt payloads for the Temporal UI. */
  codecSessionMs: 8 * HOUR_MS,
  /** An unused link to the page expires after this. */
  signInLinkMs: 10 * 60_000,
  /** How long the page stays signed in. */
  pageSessionMs: 12 * HOUR_MS,
  /** Links that one address may try. */
  signInsPerMinute: 30,
  signInBytes: 1_024,
  /** Largest frame that a WebSocket client may send. */
  webSocketFrameBytes: 64 * 1024,
  /** Conversations that one WebSocket keeps before any model is called. */
  preparedBytesPerSocket: 8 * 1024 * 1024,
  /** An id of a generation, response or message as a client may send it. */
  idChars: 128,
  /** `provider/model`, as a client names the last one that it has read. */
  modelIdChars: 512,
  /** Generations that one WebSocket may follow at once. */
  subscriptionsPerSocket: 256,
  /** The end user as a vendor's client names them. */
  endUserChars: 512,
  /** Items of a stored conversation, and their bytes as JSON: all of them are part of each request. */
  conversationItems: 4_000,
  conversationBytes: 8 * 1024 * 1024,
  /** A reserved turn of a conversation without a generation is given up after this. */
  conversationTurnMs: 60_000,
  /** As Anthropic takes; `http.jsonValues` limits a request before this does. */
  messagesPerRequest: 100_000,
  partsPerMessage: 10_000,
  toolsPerRequest: 10_000,
  /** What a vendor keeps of its model's thoughts, encrypted by the vendor and sealed by us. */
  sealedReasoningChars: 1024 * 1024,
  /** A compacted conversation as its client gets it: the summary, and the turns that are kept as they are. */
  sealedCompactionChars: 8 * 1024 * 1024,
  /** How long it is remembered which answer made a tool call: long enough for a person to approve it. */
  callAnswerMs: DAY_MS,
  /** The latest answers of a conversation whose reasoning is looked up for a client that does not send it. */
  recalledAnswers: 32,
  /** Fields of a request, or of one of its parts, that only its own format has. */
  nativeFields: 128,
  /** Beta features that a request of Anthropic's format may name. */
  betasPerRequest: 64,
  /** Items of an `input` in the format of OpenAI's Responses: a message, a call and a result are one each. */
  itemsPerRequest: 100_000,
  stopSequences: 1_024,
  /** Answers that one request may ask for: as many as OpenAI takes. `wires.maxChoices` may set less. */
  choices: 128,
  /** The messages of all of them. */
  bytesOfChoices: 64 * 1024 * 1024,
  /** Alternatives of each token whose log probabilities a request may ask for, and the longest token that is read. */
  topLogprobs: 20,
  tokenChars: 1_024,
  metadataKeys: 64,
  /** Keys at the top of a JSON Schema. */
  schemaKeys: 256,
  idempotencyKeyChars: 255,
  /** Bytes of an answer that were received and not read; the connection is not read beyond them. */
  providerBufferBytes: 256 * 1024,
  /** Text that a log writer buffers before it stops reading from its provider. */
  writerBufferBytes: 256 * 1024,
  /** Events in one atomic append. */
  eventsPerAppend: 512,
  /** Output that this process buffers for one slow viewer. */
  viewerBufferBytes: 64 * 1024,
  /** Stream entries that a relay reads from the log in one round trip. */
  entriesPerRead: 64,
  /** Events of one such read, however many its entries hold; more than any one entry does. */
  eventsPerRead: 1_024,
  /** Recent events of one generation that a process keeps for all its viewers; who is further behind reads the log. */
  relayWindowBytes: 8 * 1024,
  /** The same at the edge, from which the log is far. */
  edgeWindowBytes: 256 * 1024,
  /** A viewer that reads nothing within this is disconnected; its cursor stays valid. */
  viewerStallMs: 60_000,
  /** How long the input of an ended, not continuable generation is kept, for the steps after its end. */
  endedInputMs: HOUR_MS,
  /** How long a worker has the logs that it archives; then another one may have them. */
  archiveClaimMs: 120_000,
  /** A log that never ended is dropped after this, with the input that was made for it. */
  openLogTtlMs: 7 * DAY_MS,
  /** If no worker has taken a new generation within this, the API starts it at Temporal, which queues it. */
  handoffTakenMs: 40,
  /** A larger message of the hand-off is sent without the input. */
  handoffChars: 64 * 1024,
  /** If the worker that took it has not started it within this, the API starts it at Temporal. */
  handoffStartedMs: 2_000,
  /**
   * If a worker dies with a workflow task, which may include the start of a stream, another one gets it after this,
   * unless the expired lease of the worker shows its death earlier.
   */
  workflowTaskMs: 10_000,
  /** A stream that runs for longer is adopted by an activity that heartbeats; well below the workflow task timeout. */
  adoptStreamAfterMs: 1_000,
  /** The same two for a run whose first task is in the lease of its worker: its death is not noticed by a timeout. */
  leasedWorkflowTaskMs: 20_000,
  adoptLeasedStreamAfterMs: 10_000,
  /** How long a worker that leaves waits until its activities have adopted its streams. */
  adoptOnLeaveMs: 2_000,
  /** Equal requests of one key whose generations the client's retries can join; of more, the newest. */
  sameRequestsJoined: 16,
  /** Retries of a client from this one on count as the same; the official clients make two. */
  clientRetries: 16,
  /**
   * An answer with less text than this is restarted, not continued by instruction: continuing would save nothing, and
   * so little text does not show whether the model begins again instead.
   */
  leastContinuedChars: 24,
  /**
   * A generation fails after this many attempts whose worker died or whose response was lost. Without it, an input
   * whose answer kills every worker that reads it would be called, and paid, forever.
   */
  uncountedAttempts: 10,
  /** Provider errors of one candidate before the next candidate is tried. */
  providerErrorsPerCandidate: 3,
  /** A Retry-After up to this is waited for; if a provider asks for a longer wait, the next candidate is tried. */
  retryAfterMs: 30_000,
  /** If a provider's only key rests for at most this, the call waits for it; else the gate reports no capacity. */
  shortWaitMs: 3_000,
  /** If the provider gate does not answer within this, calls are made without it. */
  gateMs: 2_000,
  /** How long an append is retried while Redis is unreachable; then the attempt ends, and the next one resumes. */
  appendAgainMs: 120_000,
  /**
   * How long a follower that stops waits for a leader that has fixed the shares but not ended its log. Longer than
   * `appendAgainMs`: after it, the leader can no longer write that end.
   */
  flightClosedMs: 180_000,
  /**
   * Followers leave a leader that is silent for longer, or for `leaderReportMs` longer than it waits for its provider:
   * by then it has reported an error, or called another one.
   */
  leaderSilenceMs: 15_000,
  leaderReportMs: 5_000,
  /** How long a stream that leaves its worker waits for the id of its response: without it, the call is paid twice. */
  learnResponseMs: 3_000,
  /** The time limit of the vendors' SDKs, whose own may be shorter; a generation has its deadline besides. */
  vendorCallMs: 30 * 60_000,
  /** A call for embeddings ends within this. */
  embeddingsMs: 60_000,
  /** How much of a provider's error body is read. */
  errorBodyBytes: 64 * 1024,
  /** Lines that are handed to a provider's own batches, in one of them: a worker holds all of its text at once. */
  providerBatchBytes: 32 * 1024 * 1024,
  /** The longest answer to one of them. */
  providerBatchLineChars: 16 * 1024 * 1024,
  /**
   * An older reservation without a run is an orphan. Longer than a call for embeddings, and than Temporal may need to
   * record a run that has reserved already.
   */
  orphanAfterMs: 15 * 60_000,
  /** If a step fails this often, and its error is not that a service is unreachable, it is not retried any more. */
  oddErrorAttempts: 20,
  minDeadlineMs: 100,
  maxDeadlineMs: 30 * DAY_MS,
  /** Longest `generationMs` that the config may set: a log must outlive its generation, here by a day. */
  maxGenerationMs: 6 * DAY_MS,
  /** The longest drain of a worker that is asked to leave. */
  workerDrainMs: 6 * HOUR_MS,
  /** The most streams that `worker.maxStreams` may set. */
  workerStreams: 10_000,
  /** An answer that is not in the cache by then counts as not stored. Less than the workflow gives that step. */
  storeAnswerMs: 4_000,
  /** Answers to a schema that one model is asked for. `output.check.attempts` may set less. */
  outputAttempts: 10,
  /** An answer that does not fit is quoted to the model, unless it is longer. */
  quotedAnswerChars: 64_000,
  /**
   * A check of an answer that takes longer continues in the thread of slow tenants, which gives it more time and takes
   * all their checks for a while.
   */
  outputCheckMs: 1_000,
  slowOutputCheckMs: 10_000,
  slowOutputTenantMs: 10 * 60_000,
  outputCheckHeapMb: 512,
  /** A comparison that takes longer is stuck; its thread is replaced. */
  verifierRunMs: 2_000,
  maxOutputTokens: 1_000_000,
  /** A learnt cap is never below this, so that one unusual answer does not need a continuation. */
  leastLearntTokens: 64,
  /** Steps of a pipeline. */
  stepsPerPipeline: 64,
  inputsPerPipeline: 64,
  /** Comparisons in the `when` of a step. */
  comparisonsPerStep: 32,
  /** Items of one `foreach`, and generations of a job, with those that are repeated. */
  itemsPerStep: 1_000,
  generationsPerJob: 5_000,
  /** Generations of a job that run at once. */
  parallelPerJob: 32,
  retriesPerStep: 10,
  /** Events of a job's history after which it continues as a new run. */
  jobHistoryEvents: 1_000,
  /** The values that a job starts from, and all that its steps may write, as JSON. */
  jobInputBytes: 1024 * 1024,
  jobOutputBytes: 64 * 1024 * 1024,
  /** A pipeline as JSON, which each generation of a job reads again; and the places of values in its texts. */
  pipelineBytes: 1024 * 1024,
  placesPerPipeline: 60_000,
  /** White space in the JSON of a value; with more it is written without any. */
  indentChars: 1024 * 1024,
  /** Longest that a job may take, with what it waits for people. */
  longestJobMs: 90 * DAY_MS,
  /** Longest note of a person that approves or rejects a step. */
  approvalNoteChars: 2_000,
  /** Jobs of a tenant or user that a list shows, the newest first. */
  jobsListed: 10_000,
  /** Receipts of a tenant that a list shows, the newest first. */
  erasuresListed: 10_000,
  schedulesPerTenant: 1_000,
  /** Cron lines of a schedule, its shortest interval, and the longest time in it. */
  timesPerSchedule: 16,
  leastIntervalMs: 10_000,
  longestScheduleMs: 366 * DAY_MS,
  pipelinesPerTenant: 1_000,
  versionsPerPipeline: 10_000,
  labelsPerPipeline: 64,
  versionsPerPrompt: 10_000,
  promptsPerTenant: 10_000,
  labelsPerPrompt: 64,
  armsPerLabel: 16,
  messagesPerPrompt: 32,
  templateChars: 256 * 1024,
  variablesPerPrompt: 64,
  /** Placeholders of one prompt: each request that names the prompt renders all of them. */
  placesPerPrompt: 60_000,
  promptChars: 1024 * 1024,
  feedbackChars: 2_000,
  /** How long usage is kept by the hour; by the day it is kept as the config says. */
  usageHoursMs: 8 * DAY_MS,
  /** Rows of usage that a tenant has for one day, without and with users; names beyond them are added up in one. */
  usageRowsPerDay: 5_000,
  usageUserRowsPerDay: 10_000,
  usageHourRowsPerDay: 20_000,
  /** A text that stored answers are searched for, and how many of the newest are compared with it. */
  searchedTextChars: 500,
  searchedEntries: 2_000,
  /** From this many complaints on, a stored answer is found by the same words only. */
  complaintsToSameWords: 3,
  /** Complaints about one stored answer: further ones change nothing. */
  complaintsPerEntry: 8,
  /** Of more than these, the oldest is dropped. */
  complaintsPerTenant: 5_000,
  complaintKeptMs: 90 * DAY_MS,
  /** The cursor of a page, as a client sends it back. */
  pageCursorChars: 2_048,
  /** Rows that one report of usage may read. */
  usageRowsPerQuery: 500_000,
  webhookUrlChars: 2_048,
  webhooksPerTenant: 100,
  /** How long the old secret of an endpoint stays valid, if its rotation says so. */
  webhookOverlapMs: DAY_MS,
  /** How long a delivery can be read and resent; it is attempted for 3 days. */
  deliveryKeptMs: 10 * DAY_MS,
  /** The same of one that was accepted: there may be as many as generations. */
  deliveredKeptMs: DAY_MS,
  /** Deliveries that a tenant can list: the newest. */
  deliveriesPerTenant: 10_000,
  /** Attempts that a delivery shows: the latest. */
  deliveryAttemptsShown: 20,
  /** Deliveries that one worker sends at once. */
  deliveriesAtOnce: 100,
  /** Longest period of one report of usage. */
  usageDaysPerQuery: 400,
  /** How long the statistics of a prompt remember that they have counted a generation. */
  statsMarkerMs: 8 * DAY_MS,
  feedbackKeptMs: 90 * DAY_MS,
  /** Versions of one prompt that its statistics show: the newest. */
  statsVersions: 100,
  /** If compression takes longer, the prompt is sent as it is. */
  compressionMs: 8_000,
  /** If sentence similarity takes longer, compression decides by words alone. */
  meaningMs: 3_000,
  /** Longer contexts are sent uncompressed. */
  compressionChars: 2_000_000,
  /** How much text of one request the tokenizer counts; the rest is taken as one token a byte. */
  countedBytes: 512 * 1024,
} as const;

/** The comment of a stream whose reader has the end: a ticket cannot ask for the state of the generation. */
export const LOG_ENDED_COMMENT = 'the log has ended';

/** Silence after which the relay writes a comment or ping, below the 30 s of common proxies. Clients know it too. */
export const RELAY_HEARTBEAT_MS = 10_000;

/** What applies unless the config, a route or a request says otherwise. */
export const DEFAULTS = {
  /** Of one key, at all API processes together. */
  requestsPerMinute: 60_000,
  /** Requests, streams and sockets of one key that are open at once at one API process. */
  connectionsPerKey: 10_000,
  /** Connections to one API process. */
  connections: 20_000,
  /** For all header lines of a request, and for a whole request with its body. */
  headersMs: 10_000,
  requestMs: 60_000,
  /** How long an idle connection is kept: longer than a proxy in front keeps it. */
  keepAliveMs: 75_000,
  /** How long requests that no other process can resume may still run after SIGTERM. */
  drainMs: 20_000,
  /** How long streams may still run in a worker after SIGTERM, before other workers resume them. */
  workerDrainMs: 5_000,
  /** Streams that one worker runs at once. */
  workerStreams: 1_000,
  /** How long each call to Qdrant that deletes stored answers may take. */
  qdrantDeleteMs: 30_000,
  /** Largest JSON body of a request: what Anthropic takes. */
  bodyBytes: 32 * 1024 * 1024,
  /** Bodies and frames that one API process holds at once. */
  bytesInFlight: 256 * 1024 * 1024,
  bytesInFlightPerKey: 64 * 1024 * 1024,
  /** Inputs and prompts that a tenant keeps in Redis. */
  storedBytesPerTenant: 2 * 1024 * 1024 * 1024,
  /** How long a conversation is kept after its last change. */
  conversationMs: 30 * DAY_MS,
  /** Longest wait for capacity at a provider. */
  roomWaitMs: 10 * 60_000,
  /** How long a new generation waits for Temporal while it is unreachable. */
  waitForTemporalMs: 3_000,
  /** How long a Redis command waits for its reply. */
  redisAnswerMs: 5_000,
  /** Tokens that arrive within it enter the log, and reach each reader, together. */
  frameMs: 25,
  /** A worker that has not renewed its lease for this long counts as dead: others continue its streams. */
  workerSilentMs: 500,
  connectMs: 5_000,
  firstTokenMs: 10_000,
  betweenTokensMs: 25_000,
  /** How long a reasoning model may be silent before its first token, and between tokens. */
  thinkingMs: 180_000,
  /** How long a provider may send nothing but signs of life, such as pings. */
  aliveMs: 10 * 60_000,
  /** A server on the user's own machine loads a model before its first token. */
  localFirstTokenMs: 5 * 60_000,
  generationMs: 30 * 60_000,
  cacheLookUpMs: 150,
  /** How long a look-up queues for the verifier; after that only identical questions hit. */
  verifierWaitMs: 250,
  /** After this the verifier compares no further candidate; the remaining ones miss. */
  verifierCompareMs: 100,
  relayHeartbeatMs: RELAY_HEARTBEAT_MS,
  /** What is reserved for the output of a request without a cap, and the cap where a budget needs one. */
  maxOutputTokens: 16_384,
  /** Answers to a schema that one model is asked for. */
  outputAttempts: 2,
  /** Generations of a job that run at once, and how long a job may take with what it waits for people. */
  parallelPerJob: 8,
  jobMs: 7 * DAY_MS,
  /** How long an ended job is kept, with the logs of its generations. */
  jobKeptMs: 30 * DAY_MS,
  /** How long the receipt of an erasure is kept. */
  receiptKeptMs: 3 * 365 * DAY_MS,
  /** Longest value of a prompt variable. */
  variableChars: 20_000,
} as const;
