/**
 * Begins generations, for the workflow or ahead of it. A short answer takes one workflow task in all: the local
 * activity `beginGeneration` runs from the cache look-up to the end (first-steps.ts). A longer stream continues in this
 * process, and the activity `streamFromProvider` adopts it, because a local activity holds a workflow task and cannot
 * heartbeat.
 *
 * A worker that starts the run itself begins the generation before the workflow asks, while Temporal records the run.
 * The local activity of that run then joins what has begun.
 */
import type { BeginStep, BegunGeneration } from '../contracts/steps.ts';
import type { RunningStreams } from './attempt/running-streams.ts';
import { uniqueLogId } from './attempt/unique-log-id.ts';
import type { Dependencies } from './dependencies.ts';
import { type EarlyStart, FirstSteps, type FirstStepsFacts } from './first-steps.ts';

/** Below the epoch of every attempt that a workflow has asked for, which is a time. */
const EARLY_EPOCH = 1;
/** How long an early start is kept for a workflow that does not come. */
const KEEP_UNCLAIMED_MS = 10_000;
const YES = Promise.resolve(true);

export type BeginEarly = (start: EarlyStart) => void;

export class BegunGenerations {
  readonly #dependencies: Dependencies;
  readonly #running: RunningStreams;
  /** Started before their workflow asked, by the id of their log. null: the run was given to another worker. */
  readonly #early = new Map<string, Promise<BegunGeneration | null>>();

  constructor(dependencies: Dependencies, running: RunningStreams) {
    this.#dependencies = dependencies;
    this.#running = running;
  }

  /** The local activity: joins an early start of this run, or begins now. */
  async beginGeneration({ order, epochMs }: BeginStep): Promise<BegunGeneration> {
    const log = uniqueLogId(order);
    const early = this.#early.get(log);
    this.#early.delete(log);
    return (await early) ?? this.#create(order, { epochMs, runIsOurs: YES, isLeased: false }).run();
  }

  /** Begins before the workflow asks. Never throws: the workflow that joins gets the error. */
  beginEarly({ order, input, runIsOurs, isLikelyOurs }: EarlyStart): void {
    const log = uniqueLogId(order);
    const steps = this.#create(order, { epochMs: EARLY_EPOCH, runIsOurs, isLeased: isLikelyOurs });
    const begun = steps.runAhead({ input, isLikelyOurs });
    this.#early.set(log, begun);
    const forget = () => {
      if (this.#early.get(log) === begun) this.#early.delete(log);
    };
    const forgetLater = () => setTimeout(forget, KEEP_UNCLAIMED_MS).unref();
    begun.then((result) => (result === null ? forget() : forgetLater()), forgetLater);
  }

  #create(order: BeginStep['order'], facts: Omit<FirstStepsFacts, 'order'>): FirstSteps {
    return new FirstSteps(this.#dependencies, this.#running, { order, ...facts });
  }
}
