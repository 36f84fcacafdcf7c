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

/** A name as a part of a key. A lone surrogate cannot be encoded, so it is replaced. */
function encodedPart(name: string): string {
  return encodeURIComponent(name.toWellFormed());
}

/** Redis keys. What one script touches shares a hash tag, so that it lives on one shard of a cluster. */
export const REDIS_KEYS = {
  logMeta: (generationId: string) => `ub:log:{${generationId}}:meta`,
  logStream: (generationId: string) => `ub:log:{${generationId}}:events`,
  logInput: (generationId: string) => `ub:log:{${generationId}}:input`,
  logChannel: (generationId: string) => `ub:log:{${generationId}}:channel`,
  /** How many bytes a tenant keeps, by the hour in which they expire. */
  storedBytes: (tenant: string) => `ub:stored:{${encodedPart(tenant)}}`,
  /** The messages that were sent in place of those of the input. */
  compressedInput: (generationId: string) => `ub:log:{${generationId}}:compressed`,
  chat: (tenant: string, user: string, chatId: string) =>
    `ub:chat:{${[tenant, user, chatId].map(encodedPart).join(':')}}`,
  /** The generations of equal requests, by the number of the client's try. */
  clientRetries: (fingerprint: string, retry: number) => `ub:retry:{${fingerprint}}:${retry}`,
  /** A stored conversation: its head, and its items by their places. */
  conversation: (id: string, part: string) => `ub:conversation:{${encodedPart(id)}}:${part}`,
  // All budgets of a tenant lie on one shard: one generation touches several, and reserves in all or in none.
  budget: (tenant: string, ...parts: readonly string[]) =>
    `ub:budget:{${encodedPart(tenant)}}:${parts.map(encodedPart).join(':')}`,
  /** The leader of a question's flight, and the questions of a partition's open flights. */
  flight: (partition: string, key: string) => `ub:lead:{${partition}}:${key}`,
  openFlights: (partition: string) => `ub:lead:{${partition}}:open`,
  /** Complaints about stored answers of a tenant. */
  complaints: (tenant: string, part: string) => `ub:complaints:{${encodedPart(tenant)}}:${part}`,
  /** The followers that share a leader's cost. On the shard of the leader's log, which says whether it has ended. */
  flightMembers: (leader: string) => `ub:log:{${leader}}:members`,
  /** One prompt of a tenant: versions, labels, statistics, and the generations that used it. */
  prompt: (tenant: string, name: string, part: string) =>
    `ub:prompt:{${encodedPart(tenant)}:${encodedPart(name)}}:${part}`,
  /** The names of a tenant's prompts. */
  promptNames: (tenant: string) => `ub:prompts:{${encodedPart(tenant)}}`,
  gate: (provider: string, part: string) => `ub:gate:{${provider}}:${part}`,
  /** What one tenant's calls have shown of a provider: no other tenant reads it. */
  gateOfTenant: (provider: string, tenant: string, part: string) =>
    `ub:gate:{${provider}}:of:${encodeURIComponent(tenant)}:${part}`,
  apiKey: (keyId: string) => `ub:key:{${keyId}}`,
  /** The ids of a tenant's keys, each with the time of its last use. */
  apiKeysOf: (tenant: string) => `ub:keys:{${encodedPart(tenant)}}`,
  /** Tells every API process the id of a key that was rotated or revoked. */
  apiKeyChanges: 'ub:key-changes',
  /** New generations that wait for a free worker. */
  handoff: (taskQueue: string) => `ub:handoff:{${taskQueue}}`,
  /** Exists while any worker takes new generations. */
  handoffTakers: (taskQueue: string) => `ub:handoff:{${taskQueue}}:takers`,
  /** Tells one API process which of them a worker has started. */
  handoffAnswers: (apiProcess: string) => `ub:handoff-answers:${apiProcess}`,
  /** With what workers seal the thoughts of models. */
  reasoningSecret: 'ub:reasoning-secret',
  /** The answer of a user that made a tool call. */
  callAnswer: (tenant: string, user: string, callHash: string) =>
    `ub:call:{${[tenant, user, callHash].map(encodedPart).join(':')}}`,
  ticket: (sha256Hex: string) => `ub:ticket:{${sha256Hex}}`,
  signInLink: (sha256Hex: string) => `ub:sign-in:{${sha256Hex}}`,
  pageSession: (sha256Hex: string) => `ub:page-session:{${sha256Hex}}`,
  /** The limiter adds `:` and what it counts for. */
  rateLimit: 'ub:rate',
} as const;
