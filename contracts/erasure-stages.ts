/** The stages of an erasure, and what its run and its steps exchange. A workflow loads it: it has no schemas. */

/**
 * What an erasure does, in this order. Each stage may be repeated. The archive comes before Redis, whose keys may point
 * to archived generations, and again after it, for what was archived meanwhile (`moved`).
 */
export const ERASURE_STAGES = ['stop', 'answers', 'archive', 'stored', 'moved', 'runs'] as const;
export type ErasureStage = (typeof ERASURE_STAGES)[number];

/** The argument of its workflow. Whose data it is, Redis knows: the history must not. */
export interface ErasureOrder {
  readonly tenant: string;
  readonly erasureId: string;
  /** The stage with which a run begins that continues an earlier one. */
  readonly from?: ErasureStage;
}

export interface EraseStage {
  readonly tenant: string;
  readonly erasureId: string;
  readonly stage: ErasureStage;
}

export interface ErasedStage {
  /** What this pass has found; a pass that finds nothing is the last one. */
  readonly found: number;
  /** What must end by itself first: the stage is repeated. */
  readonly pending: number;
}
