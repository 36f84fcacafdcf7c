/** What the plan assumes and nobody measured here: choices, published rules and prices, each with its source. */

export const ASSUMED = {
  /** The busiest hour to the mean of the day. */
  peak: 3,
  /** Of a core, at the peak; the simulation says what more would cost. */
  busiest: 0.7,
  retention: { logHours: 24, entryDays: 100, reservationDays: 7, temporalDays: 3 },
  /** The shortest that readers and budgets allow. */
  shortRetention: { logHours: 1, entryDays: 40, reservationDays: 7, temporalDays: 1 },
  /** The share of hits, which neither ask a model nor are stored again. */
  cacheHits: 0.35,
  cacheTtlDays: 1,
  /** Of the local embedding model. */
  dimensions: 384,
  /** docs/operations.md; a worker runs no more streams. */
  streamsPerWorker: 1_000,
} as const;

/** Rules that others have published. */
export const PUBLISHED = {
  /** A shard does one thing at a time: 12 writes of some 8 ms leave it free for nine tenths of the time. */
  writesPerShard: 12,
  leastShards: 512,
  /** Temporal's own examples have at most so many. */
  mostShards: 16_384,
  /**
   * State transitions a second for each core of PostgreSQL: about 1,000 on two cores in
   * piotrmucha.blog/2025/09/12/temporal-performance-tests.
   */
  writesPerDatabaseCore: 500,
  /** Of the largest common PostgreSQL machine. */
  databaseCores: 64,
  /** Qdrant: 4 bytes a dimension, and half as much again. */
  qdrantFactor: 1.5,
} as const;

/** Of one node; memory that a process may use is less than the machine has. */
export interface NodeType {
  readonly name: string;
  readonly cores: number;
  readonly usableGB: number;
  readonly usdPerHour: number;
}

/** On demand, Linux, us-east-1. Source: aws.amazon.com/ec2/pricing/on-demand */
export const NODES = {
  general: { name: 'm7g.xlarge', cores: 4, usableGB: 13, usdPerHour: 0.1632 },
  memory: { name: 'r7g.xlarge', cores: 4, usableGB: 26, usdPerHour: 0.2142 },
} as const satisfies Record<string, NodeType>;

/** Source: aws.amazon.com/ebs/pricing (gp3), us-east-1. */
export const USD_PER_DISK_GB_MONTH = 0.08;
export const HOURS_PER_DAY = 24;
export const DAYS_PER_MONTH = 30.4;

/** The prices of these models are those of `@pydantic/genai-prices`, as for budgets. */
export const PRICED_MODELS = [
  { provider: 'openai', model: 'gpt-4o-mini' },
  { provider: 'openai', model: 'gpt-4o' },
  { provider: 'anthropic', model: 'claude-sonnet-4-5' },
] as const;
/** Of a generation, beside the output. */
export const INPUT_TOKENS = 1_000;
