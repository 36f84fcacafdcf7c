/**
 * The port by which an API process hands a new generation to a worker that is free at this moment. The worker starts
 * the run itself, so that Temporal answers with its first task (eager start), and prepares the call meanwhile. It is
 * only a shortcut: without an answer, the API process starts the run itself, and Temporal gives it to any worker.
 */
import type { GenerationInput } from '../../contracts/generation.ts';
import type { NewRun } from '../../contracts/steps.ts';

export interface OfferedRun extends NewRun {
  /** Present if it is short and the log holds only its start; otherwise the worker reads the input and the log. */
  readonly input?: GenerationInput | undefined;
}

export interface HandoffOffers {
  /** @returns whether a worker has started the run; false if in doubt. Never throws. */
  offer(run: OfferedRun): Promise<boolean>;
}

export interface TakenRun extends OfferedRun {
  /** Runs `act` as part of the trace of the original request. */
  within<Result>(act: () => Result): Result;
  /** Acknowledges the offer. If the reply is lost, the API process starts the run again, which is a no-op. */
  answer(isStarted: boolean): Promise<void>;
}

export interface HandoffTaker {
  /** The next run; null after a second without one, or while Redis is unreachable. */
  take(): Promise<TakenRun | null>;
}

/** Carries the trace of a request to another process. */
export interface TraceCarrier {
  inject(): Readonly<Record<string, string>>;
  within<Result>(headers: Readonly<Record<string, string>>, act: () => Result): Result;
}
