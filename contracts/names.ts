/** Names shared by processes: Temporal ids, search attributes, Redis keys. */
export const WORKFLOW_TYPE = 'generation';

/** Custom search attributes; the namespace must know them before the first run. */
export const SEARCH_ATTRIBUTES = {
  UnbrokenTenant: 'Keyword',
  UnbrokenUser: 'Keyword',
  UnbrokenProvider: 'Keyword',
  UnbrokenModel: 'Keyword',
  UnbrokenStatus: 'Keyword',
  UnbrokenPromptVersion: 'Keyword',
  UnbrokenCostMicroUsd: 'Int',
} as const;

/** The workflow of a job, and the signals that it takes. */
export const JOB_TYPE = 'job';
export const JOB_SIGNALS = { pause: 'pause', resume: 'resume', decide: 'decide' } as const;

/** The workflows of a batch, and of each of its shards. */
export const BATCH_TYPE = 'batch';
export const SHARD_TYPE = 'batchShard';

/** The workflow of one tick of a schedule. */
export const TICK_TYPE = 'scheduledRun';

/** The workflow of an erasure. */
export const ERASURE_TYPE = 'erasure';

/** Signals that a running generation takes. */
export const SIGNALS = { raiseCap: 'raiseCap', stop: 'stop' } as const;

/** A generation id names its tenant's workflow: the same key sent again is the same workflow. */
export function workflowId(tenant: string, generationId: string): string {
  return `${tenant}/${generationId}`;
}

/** Calls for embeddings are reserved and settled like generations, and have no workflow. */
export const EMBEDDINGS_ID_PREFIX = 'emb_';

/** A version of a named prompt, such as support@3; undefined without one. */
export function promptVersionName(
  prompt: { readonly name: string; readonly version: number } | undefined,
): string | undefined {
  return prompt === undefined ? undefined : `${prompt.name}@${prompt.version}`;
}

/** The task queue of generations that wait for room at a provider; Temporal orders it by priority and fairness. */
export function roomQueue(taskQueue: string, provider: string): string {
  return `${taskQueue}/room/${provider}`;
}

/** The task queue of webhook deliveries: those that wait for slow receivers hold no slot of the streams. */
export function webhookQueue(taskQueue: string): string {
  return `${taskQueue}/webhooks`;
}

export const WEBHOOK_WORKFLOW_TYPE = 'webhookDelivery';

/** The run of a delivery. @param again how many attempts it had when it was sent again; absent: its first run. */
export function webhookRunId(
  { tenant, deliveryId }: { readonly tenant: string; readonly deliveryId: string },
  again?: number,
): string {
  return `${tenant}/${deliveryId}${again === undefined ? '' : `/again-${again}`}`;
}

/** A name as a part of a key. A lone surrogate cannot be encoded, so it is replaced. */
function encodedPart(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

/**
 * Redis keys, and channels of Pub/Sub. What one script touches shares a hash tag, so that it lives on one shard of a
 * cluster. Each says its type, when it expires, what it holds, and the folder that owns it. A log expires
 * `retention.logMs` after its end, and 7 days after its start if it never ends.
 */
export const REDIS_KEYS = {
  /** Hash, expires with the log: its head (tenant, status, epoch, sums, checkpoint). engine/streaming. */
  logMeta: (generationId: string) => `ub:log:{${generationId}}:meta`,
  /** Stream, expires with the log: its events, an entry for each append. engine/streaming. */
  logStream: (generationId: string) => `ub:log:{${generationId}}:events`,
  /** String, expires with the log or an hour after its end: the input as JSON. engine/streaming. */
  logInput: (generationId: string) => `ub:log:{${generationId}}:input`,
  /** Channel of a shard: each append, for viewers. engine/streaming. */
  logChannel: (generationId: string) => `ub:log:{${generationId}}:channel`,
  /**
   * Hash, expires two hours after the last byte that it counts, and never once it counts prompts: how many bytes a
   * tenant keeps, by the hour in which they expire. engine/streaming.
   */
  storedBytes: (tenant: string) => `ub:stored:{${encodedPart(tenant)}}`,
  /** String, expires with the log: the messages that were sent in place of those of the input. engine/compression. */
  compressedInput: (generationId: string) => `ub:log:{${generationId}}:compressed`,
  /** Sorted set, never expires: ended logs of a shard by the time at which they are archived. engine/archive. */
  archiveDue: (shard: number) => `ub:archive:{${shard}}:due`,
  /** Sorted set, never expires: days of tenants' ledgers by the time at which they are archived. engine/archive. */
  archiveDaysDue: 'ub:archive:{days}:due',
  /** String, an hour: which worker deletes what is over in the archive. engine/archive. */
  archiveLease: 'ub:archive:{days}:lease',
  /** String, 7 days: the newest generation of a chat of the AI SDK. api/generations. */
  chat: (tenant: string, user: string, chatId: string) =>
    `ub:chat:{${[tenant, user, chatId].map(encodedPart).join(':')}}`,
  /**
   * List, for as long as a generation may run and a retry may join it: the generations of equal requests, by the number
   * of the client's try. api/generations.
   */
  clientRetries: (fingerprint: string, retry: number) => `ub:retry:{${fingerprint}}:${retry}`,
  /**
   * Two hashes, expire `retention.conversationMs` after the last change: the head of a stored conversation, and its
   * items by their places. engine/conversations.
   */
  conversation: (id: string, part: string) => `ub:conversation:{${encodedPart(id)}}:${part}`,
  /**
   * The budgets of a tenant lie on one shard: one generation touches several, and reserves in all or in none.
   * engine/budget. The parts: `limits` (hash, never expires); `subject`, a user, team or key (hash of windows, 40 days
   * after its last use); `reservation` (hash, 40 days, and 7 days after its settlement); `open` (sorted set of
   * reservations, never expires); `entries` of a day (stream, `budgets.keepEntriesDays`); `usage` of a day (hashes,
   * `budgets.keepUsageDays`, by the hour 8 days).
   */
  budget: (tenant: string, ...parts: readonly string[]) =>
    `ub:budget:{${encodedPart(tenant)}}:${parts.map(encodedPart).join(':')}`,
  /** Hash, 10 minutes, or 3 s after its end: the leader of a question's flight. engine/cache. */
  flight: (partition: string, key: string) => `ub:lead:{${partition}}:${key}`,
  /** Hash, 10 minutes after the last flight began: the questions of a partition's open flights. engine/cache. */
  openFlights: (partition: string) => `ub:lead:{${partition}}:open`,
  /**
   * Two hashes and a sorted set, never expire: complaints about stored answers of a tenant, by entry; the entry of
   * each; the newest. engine/cache.
   */
  complaints: (tenant: string, part: string) => `ub:complaints:{${encodedPart(tenant)}}:${part}`,
  /**
   * Hash, 7 days, or minutes after the flight has closed: the followers that share a leader's cost. On the shard of the
   * leader's log, which says whether it has ended. engine/cache.
   */
  flightMembers: (leader: string) => `ub:log:{${leader}}:members`,
  /**
   * One prompt of a tenant. engine/prompts. The parts: `versions`, `labels` and `counts` of a version (hashes, never
   * expire); `generation`, which counted generation used which version (hash, 8 days, with feedback 90); `feedback`
   * (sorted set of the newest, never expires).
   */
  prompt: (tenant: string, name: string, part: string) =>
    `ub:prompt:{${encodedPart(tenant)}:${encodedPart(name)}}:${part}`,
  /** Set, never expires: the names of a tenant's prompts. engine/prompts. */
  promptNames: (tenant: string) => `ub:prompts:{${encodedPart(tenant)}}`,
  /**
   * Strings, at most one day after the last call: the states of a provider's keys and circuits, who is next in line,
   * and which keys declined a generation. engine/routing.
   */
  gate: (provider: string, part: string) => `ub:gate:{${provider}}:${part}`,
  /**
   * Strings and a sorted set, one day: what one tenant's calls have shown of a provider. No other tenant reads it.
   * engine/routing.
   */
  gateOfTenant: (provider: string, tenant: string, part: string) =>
    `ub:gate:{${provider}}:of:${encodeURIComponent(tenant)}:${part}`,
  /**
   * A job expires `retention.jobMs` after its end. engine/jobs. The parts: `meta` (hash: its head), `spec` (string:
   * pipeline and input), `events` (stream, an entry for each append), `once` (hash: the appends by name), `values`
   * (hash: what its steps wrote). Its channel is that of a log with its id.
   */
  job: (jobId: string, part: string) => `ub:job:{${jobId}}:${part}`,
  /** Sorted set, expires with its newest job: the ids of a tenant's jobs, or of one of its users. engine/jobs. */
  jobsOf: (tenant: string, user: string | null) =>
    `ub:jobs:{${encodedPart(tenant)}}${user === null ? '' : `:${encodedPart(user)}`}`,
  /** One pipeline of a tenant: `versions` and `labels` (hashes, never expire). engine/jobs. */
  pipeline: (tenant: string, name: string, part: string) =>
    `ub:pipeline:{${encodedPart(tenant)}:${encodedPart(name)}}:${part}`,
  /** String, until it is deleted: who pays for a schedule, and what it starts. engine/jobs. */
  schedule: (scheduleId: string) => `ub:schedule:{${scheduleId}}`,
  /** Set, never expires: the ids of a tenant's schedules. engine/jobs. */
  schedulesOf: (tenant: string) => `ub:schedules:{${encodedPart(tenant)}}`,
  /**
   * A batch expires `batches.keptMs` after its end. engine/batches. The parts: `head` (hash: status and counts), `spec`
   * (string: who pays, and for what), `shards` (hash: those that are counted), `handover` (hash: the vendors' batches
   * that have its lines); and until a shard is counted, `refused` and `answers` of it (hashes: why a line was not sent,
   * and the answer to one that is no generation).
   */
  batch: (batchId: string, part: string) => `ub:batch:{${batchId}}:${part}`,
  /**
   * Sorted set, never expires: the ids of a tenant's batches, or of one of its users, of a format; `open`: of those
   * of a user that have not ended; `reads`: of those that read a file. engine/batches.
   */
  batchesOf: (tenant: string, ...parts: readonly string[]) =>
    `ub:batches:{${encodedPart(tenant)}}:${parts.map(encodedPart).join(':')}`,
  /**
   * The files of a tenant. engine/files. The parts: `file` (string: the record of one, until it is deleted), `bytes`
   * (string: of all), `all` and `user` (sorted sets: their ids, or those of one user).
   */
  files: (tenant: string, ...parts: readonly string[]) =>
    `ub:files:{${encodedPart(tenant)}}:${parts.map(encodedPart).join(':')}`,
  /** Sorted set, never expires: files of all tenants by the time at which they are deleted. engine/files. */
  filesDue: 'ub:files:{due}',
  /** Set, never expires: the names of a tenant's pipelines. engine/jobs. */
  pipelineNames: (tenant: string) => `ub:pipelines:{${encodedPart(tenant)}}`,
  /** Hash, until the key expires or is revoked: an API key without its secret. api/access. */
  apiKey: (keyId: string) => `ub:key:{${keyId}}`,
  /** Sorted set, never expires: the ids of a tenant's keys, each with the time of its last use. api/access. */
  apiKeysOf: (tenant: string) => `ub:keys:{${encodedPart(tenant)}}`,
  /** Channel: the id of a key that was rotated or revoked, for every API process. api/access. */
  apiKeyChanges: 'ub:key-changes',
  /** List, 2 s after the last offer: new generations that wait for a free worker. engine/handoff. */
  handoff: (taskQueue: string) => `ub:handoff:{${taskQueue}}`,
  /** String, renewed while any worker takes new generations. engine/handoff. */
  handoffTakers: (taskQueue: string) => `ub:handoff:{${taskQueue}}:takers`,
  /** Channel: tells one API process which of its offers a worker has started. engine/handoff. */
  handoffAnswers: (apiProcess: string) => `ub:handoff-answers:${apiProcess}`,
  /** Sorted set, a day after the last renewal: API and worker processes, by the time of it. engine/leases. */
  leases: (taskQueue: string) => `ub:lease:{${taskQueue}}`,
  /** Hash, the same: the runs that one process works on, or has taken over from another. engine/leases. */
  leasedRuns: (taskQueue: string, process: string) => `ub:lease:{${taskQueue}}:runs:${process}`,
  /** String, a second after a gap in all renewals: while it exists, no lease counts as expired. engine/leases. */
  leaseHold: (taskQueue: string) => `ub:lease:{${taskQueue}}:hold`,
  /** Channel: the id of a running generation that is cancelled, for the worker that streams it. engine/streaming. */
  cancelRequests: 'ub:cancel-requests',
  /** String, never expires: with what workers seal the thoughts of models. engine/reasoning. */
  reasoningSecret: 'ub:reasoning-secret',
  /** String, 24 hours: the answer of a user that made a tool call. engine/reasoning. */
  callAnswer: (tenant: string, user: string, callHash: string) =>
    `ub:call:{${[tenant, user, callHash].map(encodedPart).join(':')}}`,
  /** String, 30 s, renewed while its stream is open, for at most an hour. api/access. */
  ticket: (sha256Hex: string) => `ub:ticket:{${sha256Hex}}`,
  /** String, 10 minutes. api/access. */
  signInLink: (sha256Hex: string) => `ub:sign-in:{${sha256Hex}}`,
  /** String, 12 hours: the key of a page that is signed in. api/access. */
  pageSession: (sha256Hex: string) => `ub:page-session:{${sha256Hex}}`,
  /** Hash, never expires: the webhooks that a tenant's admins have registered, sealed. engine/webhooks. */
  webhookEndpoints: (tenant: string) => `ub:webhooks:{${encodedPart(tenant)}}:endpoints`,
  /** Sorted set, 10 days after the last delivery: the ids of a tenant's newest deliveries. engine/webhooks. */
  webhookDeliveries: (tenant: string) => `ub:webhooks:{${encodedPart(tenant)}}:deliveries`,
  /** Hash and list, 10 days, or one after it was accepted: a delivery, and its latest attempts. engine/webhooks. */
  webhookDelivery: (tenant: string, id: string, part: 'head' | 'attempts') =>
    `ub:webhooks:{${encodedPart(tenant)}}:delivery:${encodedPart(id)}:${part}`,
  /**
   * One erasure of a tenant. engine/erasure. The parts: `head` (hash, `retention.receiptMs` after its end); `seen:` and
   * a kind (sets until its end: what it has found).
   */
  erasure: (tenant: string, id: string, part: string) =>
    `ub:erasure:{${encodedPart(tenant)}}:${encodedPart(id)}:${part}`,
  /**
   * Of a tenant: `newest` (sorted set, with its newest receipt) and `running` (hash, never expires: the erasures that
   * run, by whose data they erase). engine/erasure.
   */
  erasures: (tenant: string, part: 'newest' | 'running') => `ub:erasures:{${encodedPart(tenant)}}:${part}`,
  /** String, a second: written behind other writes, to learn which replicas have them. platform/redis. */
  replicationMark: (hashTag: string) => `ub:replicated:{${hashTag}}`,
  /** Strings, a minute: requests of a key. `rate-limiter-flexible` adds `:` and what it counts for. api/access. */
  rateLimit: 'ub:rate',
} as const;

/**
 * Folders of the object store: the first name of each key. engine/archive: `logs` and `inputs` hold texts; `expiry`
 * lists which logs to delete on a day, by the hash of their owner; `ledger` holds old days of budgets. engine/files and
 * engine/batches: files, and what a batch keeps until it has ended.
 */
export const OBJECT_FOLDERS = {
  logs: 'logs',
  inputs: 'inputs',
  expiry: 'expiry',
  ledger: 'ledger',
  files: 'files',
  batches: 'batches',
} as const;
