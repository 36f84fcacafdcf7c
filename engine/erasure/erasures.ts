/** The ports of erasures: what is to be erased, what was found so far, and the receipt. */
import type { ErasedKind, ErasureView, Remains } from '../../contracts/erasure.ts';
import type { ErasureStage } from '../../contracts/erasure-stages.ts';

export interface ErasureScope extends NewErasure {
  readonly erasureId: string;
  /** What was created until then is erased; ms since 1970. */
  readonly beforeMs: number;
}

/** What is erased: everything of a user, or one job. */
export interface NewErasure {
  readonly tenant: string;
  readonly user: string;
  /** null: everything of the user. */
  readonly jobId: string | null;
}

/** What an erasure has found. An id is noted before what it names is deleted, so a crash loses no count. */
export interface Found {
  /** @returns how many of them are new. */
  add(kind: ErasedKind, ids: readonly string[]): Promise<number>;
  /** Takes back what was noted and stays all the same. */
  remove(kind: ErasedKind, ids: readonly string[]): Promise<void>;
  has(kind: ErasedKind, id: string): Promise<boolean>;
  all(kind: ErasedKind): Promise<readonly string[]>;
}

/** Histories that Temporal does not delete for us; parts of the archive's index that cannot be read. */
export type LeftKind = 'runs' | 'archive';

export interface Left {
  readonly count: number;
  /** When the last of them is past its retention, in ms since 1970; null if that is not known. */
  readonly untilMs: number | null;
}

export interface Erasures {
  /** Notes an erasure; one of the same data that runs is joined. @returns its id */
  open(erasure: NewErasure): Promise<string>;
  /** @returns null if there is no such erasure, or its receipt has expired. */
  view(tenant: string, erasureId: string): Promise<ErasureView | null>;
  /** The newest first. @param before the `createdAt` of the last one that is known. */
  list(
    tenant: string,
    page: { readonly limit: number; readonly before: number | null },
  ): Promise<readonly ErasureView[]>;
  /** @returns null once it is complete: then nothing says whose data it was. */
  scope(tenant: string, erasureId: string): Promise<ErasureScope | null>;
  found(scope: ErasureScope): Found;
  /** Shows what the erasure waits for. */
  noteWaiting(scope: ErasureScope, runs: number): Promise<void>;
  /** Notes what a stage could not delete. */
  noteLeft(scope: ErasureScope, kind: LeftKind, left: Left): Promise<void>;
  left(scope: ErasureScope, kind: LeftKind): Promise<Left>;
  /** Writes the receipt, and forgets whose data it was. */
  complete(scope: ErasureScope, remains: readonly Remains[]): Promise<void>;
  /** Deletes what a complete erasure had found. */
  forget(tenant: string, erasureId: string): Promise<void>;
}

/** Where a stage is, so that an attempt after a crash continues there. */
export interface StagePosition {
  readonly at: string;
  readonly found: number;
  readonly pending: number;
  /** Objects of the archive that cannot be read: their key is lost. */
  readonly unreadable?: number;
  /** The servers of which `at` is a cursor. */
  readonly keyspace?: string | null;
}

export interface StageProgress {
  /** Of the attempt before; null at the beginning. */
  readonly from: StagePosition | null;
  readonly report: (position: StagePosition) => void;
  readonly signal: AbortSignal;
}

export interface StageResult {
  readonly found: number;
  readonly pending: number;
}

export interface Eraser {
  /** Does one pass of a stage. It may be interrupted and repeated. */
  run(stage: ErasureStage, scope: ErasureScope, progress: StageProgress): Promise<StageResult>;
  /** What stays of the user, for the receipt. */
  remainsOf(scope: ErasureScope): Promise<readonly Remains[]>;
}
