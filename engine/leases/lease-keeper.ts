/**
 * Renews the lease of this process, records its runs, and takes over those of a process whose lease has expired. Every
 * API and worker process has one, so no process must be elected, and none is missed when it dies.
 */
import type { RedisLease } from './redis-lease.ts';
import type { LeasedRun } from './run-leases.ts';

/** Renewals within the time after which a lease expires. */
const RENEWALS = 5;
/** After trouble with Redis, a process judges no other for this long: they may have the same trouble. */
const TROUBLE_MS = 2_000;

interface KeeperPlan {
  readonly lease: Pick<RedisLease, 'renew' | 'takeOver' | 'recorded' | 'leave'>;
  readonly silentMs: number;
  /** False: the lease must expire, because this process does nothing for its runs. Absent: true. */
  readonly mayRenew?: () => boolean;
  /** Receives the runs of a process whose lease has expired. They stay recorded here until they are dropped. */
  readonly onTaken: (runs: readonly LeasedRun[]) => void;
  /** Receives errors of Redis, each followed by the next renewal. */
  readonly onError?: (error: unknown) => void;
}

export class LeaseKeeper {
  readonly #plan: KeeperPlan;
  /** Everything that is to be recorded of this process, as JSON by field. */
  readonly #held = new Map<string, string>();
  /** Fields that Redis does not have yet, or has still. */
  #changed = new Set<string>();
  /** True if Redis has all of `#held` but for what has changed. */
  #isRecorded = false;
  /** True if Redis may have recorded runs here that this process does not know of: the reply was lost. */
  #mayHaveTaken = false;
  #troubledAtMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #isUrgent = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(plan: KeeperPlan) {
    this.#plan = plan;
  }

  start(): void {
    this.#running = this.#keep();
  }

  /** Resolves when nothing more is renewed. A process that works on nothing leaves, and need not be missed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake();
    await this.#running;
    if (this.#held.size === 0) await this.#plan.lease.leave().catch((error) => this.#plan.onError?.(error));
  }

  /** @param isUrgent recorded at once, not with the next renewal. */
  put(run: LeasedRun, { isUrgent = false } = {}): void {
    const field = fieldOf(run);
    this.#held.set(field, JSON.stringify(run));
    this.#changed.add(field);
    if (!isUrgent) return;
    this.#isUrgent = true;
    this.#wake();
  }

  drop(run: LeasedRun): void {
    const field = fieldOf(run);
    this.#held.delete(field);
    this.#changed.add(field);
  }

  async #keep(): Promise<void> {
    while (!this.#isStopped) {
      if (this.#plan.mayRenew?.() === false) this.#isUrgent = false;
      else await this.#renew();
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    if (this.#isUrgent || this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#plan.silentMs / RENEWALS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #renew(): Promise<void> {
    const { lease, silentMs, onError } = this.#plan;
    const changed = this.#changed;
    const isWhole = !this.#isRecorded;
    this.#changed = new Set();
    this.#isUrgent = false;
    const fields = isWhole ? this.#held.keys() : changed;
    const held = Object.fromEntries(
      [...fields].flatMap((field) => {
        const run = this.#held.get(field);
        return run === undefined ? [] : [[field, run]];
      }),
    );
    const dropped = [...changed].filter((field) => !this.#held.has(field));
    const startedAtMs = performance.now();
    try {
      const judges = startedAtMs - this.#troubledAtMs > TROUBLE_MS;
      const { wasKnown, expired } = await lease.renew({ held, dropped, judges });
      if (performance.now() - startedAtMs > silentMs / 2) this.#troubledAtMs = performance.now();
      this.#isRecorded = wasKnown || isWhole;
      // Its lease had expired, and others have taken its runs: they must learn that it works on them.
      if (!this.#isRecorded) this.#isUrgent = true;
      if (this.#mayHaveTaken) await this.#adoptTaken();
      for (const process of expired) await this.#takeOver(process);
    } catch (error) {
      this.#troubledAtMs = performance.now();
      // The lost reply may have said that Redis did not know this process; the next one would not say so again.
      this.#isRecorded = false;
      for (const field of changed) this.#changed.add(field);
      onError?.(error);
    }
  }

  async #takeOver(process: string): Promise<void> {
    this.#mayHaveTaken = true;
    const taken = await this.#plan.lease.takeOver(process);
    this.#mayHaveTaken = false;
    if (taken !== null) this.#adopt([...taken]);
  }

  /** After a lost reply: what is recorded here, and is neither held nor dropped, was taken over. */
  async #adoptTaken(): Promise<void> {
    const recorded = await this.#plan.lease.recorded();
    this.#mayHaveTaken = false;
    this.#adopt([...recorded].filter(([field]) => !this.#held.has(field) && !this.#changed.has(field)));
  }

  #adopt(taken: readonly (readonly [string, LeasedRun])[]): void {
    if (taken.length === 0) return;
    for (const [field, run] of taken) this.#held.set(field, JSON.stringify(run));
    this.#plan.onTaken(taken.map(([, run]) => run));
  }
}

/** Runs that were taken over keep their process: the same run may soon be worked on here. */
function fieldOf({ process, workflowId, runId }: LeasedRun): string {
  return `${process} ${workflowId} ${runId}`;
}
