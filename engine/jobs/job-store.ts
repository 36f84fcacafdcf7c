/** The port to jobs: their specification, their events, and the values that their steps wrote. */
import type { JobEvent, JobEventBody } from '../../contracts/jobs.ts';
import type { Scope } from '../../contracts/keys.ts';
import type { PipelineContent } from '../../contracts/pipelines.ts';
import type { SealedWebhook } from '../../contracts/webhooks.ts';

/** Who pays for a job; kept with it, because its steps are submitted later. */
export interface JobOwner {
  readonly tenant: string;
  readonly user: string;
  readonly team: string | null;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

export interface JobSpec {
  readonly owner: JobOwner;
  readonly definition: PipelineContent;
  /** With the defaults of the pipeline. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly priority: number | null;
  /** Of its request. */
  readonly webhook?: SealedWebhook;
}

export interface JobHead {
  readonly jobId: string;
  readonly tenant: string;
  readonly user: string;
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly pipeline: { readonly name: string; readonly version: number } | null;
  /** The seq that the next event gets. */
  readonly nextSeq: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
  readonly deadlineAtMs: number;
  readonly maxCostMicroUsd: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** What was kept of an ended job, so that its events need not be read again; null: nothing yet. */
  readonly summary: string | null;
}

export interface JobCreation extends Pick<JobHead, 'jobId' | 'tenant' | 'user' | 'pipeline' | 'metadata'> {
  readonly requestHash: string;
  readonly deadlineAtMs: number;
  readonly maxCostMicroUsd: number | null;
  readonly spec: JobSpec;
  readonly events: readonly JobEventBody[];
  /** Of steps that an earlier job did, as JSON by their places. */
  readonly values: ReadonlyMap<string, string>;
}

/** `known`: the append of this name was made before. `full`: the job's values would be too large. */
export type AppendOutcome = 'appended' | 'known' | 'ended' | 'full' | 'missing';

export interface JobStore {
  /** Creates the job with its first events. If it exists, nothing changes. */
  create(creation: JobCreation): Promise<{ readonly created: boolean; readonly requestHash: string }>;
  /** null if there is none, or it was erased. */
  head(jobId: string): Promise<JobHead | null>;
  requestHash(jobId: string): Promise<string | null>;
  /** @throws not_found if the job has expired. */
  spec(jobId: string): Promise<JobSpec>;
  /**
   * Appends events once for each name, and keeps values in the same step.
   * @param values JSON, by their places.
   */
  append(
    jobId: string,
    name: string,
    events: readonly JobEventBody[],
    values?: ReadonlyMap<string, string>,
  ): Promise<AppendOutcome>;
  /** Events after the cursor (exclusive; -1 for the first), oldest first: those of so many appends. */
  read(jobId: string, after: number, maxEntries: number): Promise<JobEvent[]>;
  /** All events, oldest first, a part at a time. */
  events(jobId: string): AsyncIterable<JobEvent>;
  /** Keeps the summary of a job that has ended. Nothing changes while it runs, or when it is gone. */
  keepSummary(jobId: string, summary: string): Promise<void>;
  /** The JSON at each place; null where there is none. */
  values(jobId: string, places: readonly string[]): Promise<(string | null)[]>;
  /**
   * Deletes all of a job but that its id was used: to `head` it is gone, and no other job gets its id.
   * @returns false if it was gone.
   */
  erase(jobId: string): Promise<boolean>;
  /** The newest first. @param before the `createdAt` of the last one that is known. */
  list(
    owner: { readonly tenant: string; readonly user: string | null },
    page: { readonly limit: number; readonly before: number | null },
  ): Promise<JobHead[]>;
}
