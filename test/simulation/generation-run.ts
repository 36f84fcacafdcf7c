/**
 * One generation from its log's first event to its last, driven as Temporal and the workflow drive it: attempts with
 * rising epochs, a successor where a worker is dead or only looks dead, the next candidate, and the close.
 */
import { ApplicationFailure } from '@temporalio/common';
import { enterGate } from '../../activities/attempt/gate-admission.ts';
import type { RunningStream, Stop } from '../../activities/attempt/running-streams.ts';
import { closeGeneration } from '../../activities/close-generation.ts';
import { runStream } from '../../activities/stream-from-provider.ts';
import { isErrorCode } from '../../contracts/errors.ts';
import type { Candidate, GenerationInput, GenerationOrder } from '../../contracts/generation.ts';
import type { CloseStep, GenerationOutcome, StreamStep } from '../../contracts/steps.ts';
import { OUTPUT_CAP, RESERVED, type SimulatedProcess } from './simulated-process.ts';
import { Lane, type World } from './world.ts';

interface RunPlan {
  readonly world: World;
  readonly order: GenerationOrder;
  readonly input: GenerationInput;
  /** A process that lives; not always the same. */
  readonly anyProcess: () => SimulatedProcess;
  /** The worker begins the stream before Temporal has asked for it. */
  readonly isAhead: boolean;
}

type Ended =
  | { readonly outcome: GenerationOutcome }
  | { readonly failed: unknown }
  | { readonly abandoned: true };

/** Below every epoch that Temporal gives. */
const EARLY_EPOCH = 1;

export class GenerationRun {
  readonly generationId: string;
  isCancelled = false;
  /** How it ended; null while it runs. */
  outcome: GenerationOutcome | null = null;
  readonly #plan: RunPlan;
  readonly #lane = new Lane();
  #epoch = 1_000;
  #stream: RunningStream | null = null;
  #process: SimulatedProcess | null = null;
  #abandon: () => void = () => undefined;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.generationId = plan.order.generationId;
  }

  /** Resolves when the generation has ended. */
  async run(): Promise<void> {
    await this.#create();
    this.outcome = await this.#tryCandidates();
  }

  /** Temporal takes the attempt for dead, whether it is or not. */
  abandon(): void {
    this.#abandon();
  }

  /** The same, and what it has left running learns of it at some time. */
  leaveBehind(): void {
    const stream = this.#stream;
    this.#abandon();
    this.#plan.world.add(new Lane(), `${this.generationId}: a zombie learns it`, () => stream?.stop('leave'));
  }

  /** The process that runs the attempt now. */
  get process(): SimulatedProcess | null {
    return this.#process;
  }

  stop(why: Stop): void {
    this.#stream?.stop(why);
  }

  cancel(): void {
    const { world, anyProcess } = this.#plan;
    this.isCancelled = true;
    const { log } = anyProcess().dependencies;
    // If Redis is unreachable, only Temporal knows of the cancellation.
    log.requestCancel(this.generationId).catch(() => 'Redis is unreachable');
    const stream = this.#stream;
    world.add(new Lane(), `${this.generationId} receives the stop`, () => stream?.stop('cancel'));
  }

  async #create(): Promise<void> {
    const { order, input } = this.#plan;
    const { generationId, tenant, user, route } = order;
    await this.#until(async (process) => {
      const creation = { generationId, tenant, user, route, requestHash: 'hash', metadata: {}, input };
      return process.dependencies.log.create(creation);
    });
  }

  async #tryCandidates(): Promise<GenerationOutcome> {
    const { order, isAhead } = this.#plan;
    let failure: CloseStep['error'] = { code: 'internal', message: 'no candidate' };
    let mayBeAhead = isAhead;
    for (const [index, candidate] of order.candidates.entries()) {
      const isLast = index === order.candidates.length - 1;
      for (;;) {
        if (this.isCancelled && this.#stream === null) return this.#close('cancelled', failure);
        const ended = await this.#attempt(stepOf(order, candidate, isLast), mayBeAhead);
        mayBeAhead = false;
        if ('outcome' in ended) return ended.outcome;
        if (this.isCancelled) return this.#close('cancelled', failure);
        if ('abandoned' in ended) continue;
        const { failed } = ended;
        if (!(failed instanceof ApplicationFailure) || failed.nonRetryable !== true) continue;
        const code = isErrorCode(failed.type) ? failed.type : 'internal';
        failure = { code, message: failed.message };
        if (code === 'generation_timeout') return this.#close('failed', failure);
        break;
      }
    }
    return this.#close('failed', failure);
  }

  async #attempt(step: StreamStep, isAhead: boolean): Promise<Ended> {
    const { world, anyProcess } = this.#plan;
    const abandoned = new Promise<Ended>((resolve) => {
      this.#abandon = () => resolve({ abandoned: true });
    });
    await world.later(this.#lane, `an attempt of ${this.generationId} is scheduled`, () => undefined);
    const process = anyProcess();
    this.#process = process;
    this.#epoch += 1;
    const epoch = isAhead ? EARLY_EPOCH : this.#epoch;
    world.tell(`${process.name} runs ${this.generationId} with epoch ${epoch}`);
    const stream = process.running.joinOrStart(step, epoch, (control) =>
      runStream(process.dependencies, step, control, isAhead ? this.#ahead(process, step, epoch) : {}),
    );
    process.running.claim(step);
    this.#stream = stream;
    // A wish that came between two attempts reaches the next one at once.
    if (this.isCancelled) stream.stop('cancel');
    const ended = stream.outcome.then<Ended, Ended>(
      (outcome) => ({ outcome }),
      (failed: unknown) => ({ failed }),
    );
    const dead = process.death.then(() =>
      world.later<Ended>(this.#lane, `${process.name} is missed`, () => ({ abandoned: true })),
    );
    const first = await Promise.race([ended, abandoned, dead]);
    this.#stream = null;
    return first;
  }

  #ahead(process: SimulatedProcess, step: StreamStep, epoch: number) {
    const { world, input } = this.#plan;
    const isOurs = world.chance(80);
    return {
      sent: input,
      admission: enterGate(process.dependencies, step, epoch),
      runIsOurs: process.ask('learns whose run it is', () => isOurs),
    };
  }

  async #close(as: 'failed' | 'cancelled', error: CloseStep['error']): Promise<GenerationOutcome> {
    const { order } = this.#plan;
    return this.#until((process) => closeGeneration(process.dependencies)({ order, as, error }));
  }

  /** A step that must happen: by another process where one dies, and again where it fails. */
  async #until<Value>(step: (process: SimulatedProcess) => Promise<Value>): Promise<Value> {
    const { world, anyProcess } = this.#plan;
    for (;;) {
      const process = anyProcess();
      this.#process = process;
      const done = step(process).then(
        (value) => ({ value }),
        () => null,
      );
      const ended = await Promise.race([done, process.death.then(() => null)]);
      if (ended !== null) return ended.value;
      await world.later(this.#lane, `a step of ${this.generationId} is tried again`, () => undefined);
    }
  }
}

function stepOf(order: GenerationOrder, candidate: Candidate, isLast: boolean): StreamStep {
  return {
    order,
    candidate,
    isLast,
    reservedTokens: RESERVED,
    reservedMicroUsd: RESERVED,
    remainingTokens: null,
    maxOutputTokens: OUTPUT_CAP,
    warnings: [],
  };
}
