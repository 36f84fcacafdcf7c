/** Names shared by processes: Temporal ids, search attributes, Redis keys. */
export const TASK_QUEUE = 'unbroken';
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

/** A generation id names its tenant's workflow: the same key sent again is the same workflow. */
export function workflowId(tenant: string, generationId: string): string {
  return `${tenant}/${generationId}`;
}

/** Redis keys. What one script touches shares a hash tag, so that it lives on one shard of a cluster. */
export const REDIS_KEYS = {
  logMeta: (generationId: string) => `ub:log:{${generationId}}:meta`,
  logStream: (generationId: string) => `ub:log:{${generationId}}:events`,
  logInput: (generationId: string) => `ub:log:{${generationId}}:input`,
  logChannel: (generationId: string) => `ub:log:{${generationId}}:channel`,
  // Encoded, so that tenant `a` with user `b:c` is not tenant `a:b` with user `c`.
  budget: (tenant: string, user: string, part: string) =>
    `ub:budget:{${encodeURIComponent(tenant)}:${encodeURIComponent(user)}}:${part}`,
  flight: (partition: string, key: string) => `ub:flight:{${partition}}:${key}`,
  openFlights: (partition: string) => `ub:flight:{${partition}}:open`,
  apiKey: (sha256Hex: string) => `ub:key:${sha256Hex}`,
} as const;
