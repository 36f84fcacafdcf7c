/** A worker's side of the thread that renews its lease. A thread that ends is replaced, and learns all runs again. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { onDisk } from '../../platform/on-disk.ts';
import { HeldRuns } from './held-runs.ts';
import type { LeaseThreadData, MessageFromKeeper, MessageToKeeper } from './lease-thread.ts';
import type { LeasedRun } from './run-leases.ts';

const PULSE_MS = 100;
const RESTART_MS = 200;
const STOP_MS = 2_000;
/** A message wakes the thread, which costs more than what it says: what changes within this time is one message. */
const BATCH_MS = 10;

interface LeasePlan extends Omit<LeaseThreadData, 'pulse'> {
  readonly onTaken: (runs: readonly LeasedRun[]) => void;
  readonly onError: (error: Error) => void;
}

export class ThreadedLease {
  readonly runs: HeldRuns;
  readonly #plan: LeasePlan;
  readonly #pulse = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  readonly #pulsing: NodeJS.Timeout;
  /** Runs of other processes that this one has taken over and not handed on yet. */
  readonly #taken = new Set<LeasedRun>();
  #thread: Worker;
  #unsent: MessageToKeeper[] = [];
  #isStopped = false;

  constructor(plan: LeasePlan) {
    this.#plan = plan;
    this.runs = new HeldRuns(plan.name.process, {
      put: (run, { isUrgent }) => this.#send({ kind: 'put', run, isUrgent }),
      drop: (run) => this.drop(run),
    });
    const beats = new Int32Array(this.#pulse);
    this.#pulsing = setInterval(() => Atomics.add(beats, 0, 1), PULSE_MS).unref();
    this.#thread = this.#start();
  }

  /** Forgets a run of this process, or one that was taken over. */
  drop(run: LeasedRun): void {
    this.#taken.delete(run);
    this.#send({ kind: 'drop', run });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#send({ kind: 'stop' });
    this.#flush();
    // A Redis that does not answer must not hold up the end of this process.
    await Promise.race([once(this.#thread, 'exit'), sleep(STOP_MS, undefined, { ref: false })]);
    await this.#thread.terminate();
    clearInterval(this.#pulsing);
  }

  #start(): Worker {
    const { name, redisPlace, redisAnswerMs, onError, onTaken } = this.#plan;
    const file = new URL(onDisk(new URL('./lease-thread.ts', import.meta.url).href));
    const workerData: LeaseThreadData = { name, redisPlace, redisAnswerMs, pulse: this.#pulse };
    const thread = new Worker(file, { workerData });
    thread.on('message', (message: MessageFromKeeper) => {
      if (message.kind === 'error') return onError(new Error(message.message));
      for (const run of message.runs) this.#taken.add(run);
      onTaken(message.runs);
    });
    thread.on('error', onError);
    thread.on('exit', () => {
      if (!this.#isStopped) setTimeout(() => this.#restart(), RESTART_MS);
    });
    return thread;
  }

  #restart(): void {
    if (this.#isStopped) return;
    this.#thread = this.#start();
    for (const run of [...this.runs.runs(), ...this.#taken]) this.#send({ kind: 'put', run, isUrgent: true });
  }

  #send(message: MessageToKeeper): void {
    if (this.#unsent.length === 0) setTimeout(() => this.#flush(), BATCH_MS);
    this.#unsent.push(message);
  }

  #flush(): void {
    const unsent = this.#unsent;
    this.#unsent = [];
    if (unsent.length > 0) this.#thread.postMessage(unsent);
  }
}
