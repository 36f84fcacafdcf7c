/** The runs that this worker works on. A run stays noted from its first step to its last, however many there are. */
import type { LeasedRun, RunLeases, RunName } from './run-leases.ts';

/** Between two steps of a run, such as the local activity that begins a stream and the activity that adopts it. */
const LINGER_MS = 1_000;

interface Records {
  put(run: LeasedRun, options: { readonly isUrgent: boolean }): void;
  drop(run: LeasedRun): void;
}

interface HeldRun {
  run: LeasedRun;
  steps: number;
  lingering: NodeJS.Timeout | undefined;
}

export class HeldRuns implements RunLeases {
  readonly #process: string;
  readonly #records: Records;
  readonly #held = new Map<string, HeldRun>();

  constructor(process: string, records: Records) {
    this.#process = process;
    this.#records = records;
  }

  hold(
    { workflowId, runId }: RunName,
    { workflowTask, isUrgent = false }: Parameters<RunLeases['hold']>[1] = {},
  ): () => void {
    const key = `${workflowId} ${runId}`;
    const held =
      this.#held.get(key) ?? this.#add(key, { process: this.#process, workflowId, runId }, isUrgent);
    if (workflowTask !== undefined) {
      held.run = { ...held.run, workflowTask };
      this.#records.put(held.run, { isUrgent });
    }
    clearTimeout(held.lingering);
    held.steps += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      held.steps -= 1;
      if (held.steps === 0) held.lingering = setTimeout(() => this.#drop(key, held), LINGER_MS).unref();
    };
  }

  /** For a keeper that was restarted and knows nothing. */
  runs(): readonly LeasedRun[] {
    return [...this.#held.values()].map(({ run }) => run);
  }

  #add(key: string, run: LeasedRun, isUrgent: boolean): HeldRun {
    const held: HeldRun = { run, steps: 0, lingering: undefined };
    this.#held.set(key, held);
    this.#records.put(run, { isUrgent });
    return held;
  }

  #drop(key: string, held: HeldRun): void {
    this.#held.delete(key);
    this.#records.drop(held.run);
  }
}
