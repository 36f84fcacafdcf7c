/**
 * The port by which an API process hands a new generation to a worker that is free at this moment. The worker starts
 * the run itself, so that Temporal answers with its first task (eager start), and prepares the call meanwhile. Only a
 * short cut: whoever offers and gets no answer starts the run by himself, and Temporal hands it to any worker.
 */
import type { GenerationInput } from '../../contracts/generation.ts';
import type { NewRun } from '../../contracts/steps.ts';

export interface OfferedRun extends NewRun {
  /** Given where the log has no more than its start; else, and where it is long, a worker reads both there. */
  readonly input?: GenerationInput | undefined;
}

export interface HandoffOffers {
  /** @returns whether a worker has started the run. Never throws; where it is in doubt, it is false. */
  offer(run: OfferedRun): Promise<boolean>;
}

export interface TakenRun extends OfferedRun {
  /** Runs it as part of the trace of the request that it came from. */
  within<Result>(act: () => Result): Result;
  /** Tells who offered it whether the run is started; where that is lost, he starts it once more, to no effect. */
  answer(isStarted: boolean): Promise<void>;
}

export interface HandoffTaker {
  /** The next run; null after a second without one, or where Redis is away for the moment. */
  take(): Promise<TakenRun | null>;
}

/** Carries the trace of a request to another process. */
export interface TraceCarrier {
  inject(): Readonly<Record<string, string>>;
  within<Result>(headers: Readonly<Record<string, string>>, act: () => Result): Result;
}
