/**
 * The lease of a process, and the runs that it works on. A worker renews one lease for all of its runs. When a lease
 * expires, whichever API or worker process notices first takes the runs over and has Temporal start their next attempts
 * (fail-over.ts). A heartbeat for each stream would cost Temporal's store about two writes per second.
 */

/** A run at Temporal. */
export interface RunName {
  readonly workflowId: string;
  readonly runId: string;
}

/** A run and the process that works on it, as Redis stores it. */
export interface LeasedRun extends RunName {
  /** The identity of that process at Temporal. */
  readonly process: string;
  /** Base64: the token of the run's first workflow task, if Temporal gave it in reply to the start. */
  readonly workflowTask?: string | undefined;
}

interface HoldOptions {
  readonly workflowTask?: string | undefined;
  /** Recorded at once, not with the next renewal: the run streams already, or is about to. */
  readonly isUrgent?: boolean;
}

export interface RunLeases {
  /**
   * Notes that this process works on a run.
   * @returns ends it. The note stays for a second, so that the next step of the same run finds it.
   */
  hold(run: RunName, options?: HoldOptions): () => void;
}
