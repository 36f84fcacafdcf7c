/**
 * The streams that run in this worker process. A stream begins in the local activity `beginGeneration`, which holds a
 * workflow task and so must be short. A longer stream is adopted, as it runs, by the activity `streamFromProvider`,
 * which can heartbeat. An attempt in another process finds nothing here and takes the log over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { candidateName } from '../../contracts/candidate.ts';
import type { GenerationOutcome, StreamStep } from '../../contracts/steps.ts';
import type { LogWriter } from '../../engine/streaming/event-log.ts';
import { uniqueLogId } from './unique-log-id.ts';

/** Why a stream is stopped: the caller cancelled, its time is up, or the next attempt must resume from the log. */
export type Stop = 'cancel' | 'deadline' | 'leave';

/** Commands to a running attempt. */
export interface StreamControl {
  /** Orders the attempts of a generation; ms since 1970 by Temporal's clock, or 1 for an early start. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  stop(why: Stop): void;
  stopped(): Stop | null;
  /** The attempt has the log; from now on its progress can be reported. */
  opened(writer: LogWriter): void;
}

export interface RunningStream {
  readonly outcome: Promise<GenerationOutcome>;
  stop(why: Stop): void;
  /** The seq of the newest event that it has written. */
  lastSeq(): number;
}

type Run = (control: StreamControl) => Promise<GenerationOutcome>;

const KEEP_UNCLAIMED_MS = 10_000;
const LOOK_AGAIN_MS = 20;

interface Entry extends RunningStream {
  readonly generationId: string;
  readonly candidate: string;
  isClaimed: boolean;
  hasEnded: boolean;
}

export class RunningStreams {
  readonly #streams = new Map<string, Entry>();
  readonly #most: number;
  readonly #leaving = new AbortController();

  /** @param most streams that may run here at once. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /**
   * True if one more stream would have no slot of an activity: when it outlives its first task, another worker would
   * get it, and a call that cannot be resumed would be paid twice.
   */
  isFull(): boolean {
    return this.count() >= this.#most;
  }

  /** The stream that this process already runs into the same log for the same candidate, else a new one. */
  joinOrStart(step: StreamStep, epoch: number, run: Run): RunningStream {
    const running = this.#find(step);
    if (running !== undefined) return running;
    const log = uniqueLogId(step.order);
    const entry = startStream(step, epoch, run);
    this.#streams.set(log, entry);
    const onEnd = () => {
      entry.hasEnded = true;
      if (entry.isClaimed) this.#forget(log, entry);
      else setTimeout(() => this.#forget(log, entry), KEEP_UNCLAIMED_MS).unref();
    };
    entry.outcome.then(onEnd, onEnd);
    return entry;
  }

  /**
   * The caller takes over the outcome, and an error surfaces only there. An unclaimed stream is kept for a while after
   * its end, for the activity that is about to adopt it.
   */
  claim(step: StreamStep): void {
    const entry = this.#find(step);
    if (entry === undefined) return;
    entry.isClaimed = true;
    if (entry.hasEnded) this.#forget(uniqueLogId(step.order), entry);
  }

  /** Aborted when this process leaves: from then on no local activity waits for a stream. */
  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Resolves when an activity has adopted each stream that still runs, or after `limitMs`. */
  async leave(limitMs: number): Promise<void> {
    this.#leaving.abort();
    const untilMs = performance.now() + limitMs;
    const isWaiting = ({ isClaimed, hasEnded }: Entry) => !isClaimed && !hasEnded;
    while ([...this.#streams.values()].some(isWaiting) && performance.now() < untilMs) {
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Streams that run now, without those whose outcome waits to be adopted. */
  count(): number {
    return [...this.#streams.values()].filter(({ hasEnded }) => !hasEnded).length;
  }

  /** The caller has cancelled: a stream that is silent would learn of it only with its next append. */
  cancel(generationId: string): void {
    for (const stream of this.#streams.values()) {
      if (stream.generationId === generationId) stream.stop('cancel');
    }
  }

  #find({ order, candidate }: StreamStep): Entry | undefined {
    const entry = this.#streams.get(uniqueLogId(order));
    return entry?.candidate === candidateName(candidate) ? entry : undefined;
  }

  #forget(log: string, entry: Entry): void {
    if (this.#streams.get(log) === entry) this.#streams.delete(log);
  }
}

function startStream({ order, candidate }: StreamStep, epoch: number, run: Run): Entry {
  const controller = new AbortController();
  let why: Stop | null = null;
  let writer = null as LogWriter | null;
  const stop = (reason: Stop) => {
    why ??= reason;
    controller.abort(new Error(`The stream was stopped (${reason}).`));
  };
  const outcome = run({
    epoch,
    signal: controller.signal,
    stop,
    stopped: () => why,
    opened: (opened) => {
      writer = opened;
    },
  });
  return {
    outcome,
    stop,
    generationId: order.generationId,
    candidate: candidateName(candidate),
    isClaimed: false,
    hasEnded: false,
    lastSeq: () => (writer === null ? -1 : writer.nextSeq - 1),
  };
}
