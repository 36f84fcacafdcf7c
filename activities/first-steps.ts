/**
 * The first steps of one generation: cache and budget in parallel, then the first candidate's stream, until the answer
 * is whole or has taken too long to hold a workflow task.
 *
 * It may run ahead of its workflow, on a worker that does not know yet whether Temporal gives it the run. Until
 * `runIsOurs` says so, it shows nothing to readers, and spends nothing that another worker would spend again: a judge
 * is not asked, and only a response that can be reattached to is begun.
 */
import { ApplicationFailure } from '@temporalio/common';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { isErrorCode } from '../contracts/errors.ts';
import type { Candidate, GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import {
  type BegunGeneration,
  type GenerationOutcome,
  type GrantedReservation,
  readFailureFacts,
  type StreamStep,
} from '../contracts/steps.ts';
import { worstSentTokens } from '../contracts/tokens.ts';
import type { CacheLookUp } from '../engine/cache/answer-cache.ts';
import type { Admission } from '../engine/routing/provider-gate.ts';
import { enterGate, leaveUnused } from './attempt/gate-admission.ts';
import type { RunningStreams } from './attempt/running-streams.ts';
import type { Dependencies } from './dependencies.ts';
import { inputLost, logRefusal, notOurs } from './failures.ts';
import { readRecord } from './generation-record.ts';
import { lookUpCache, replayAnswer, type StoredGeneration } from './look-up-cache.ts';
import { type PreparedReservation, reserveBudget } from './reserve-budget.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { runStream } from './stream-from-provider.ts';
import { waitAtMost } from './wait-at-most.ts';

export interface EarlyStart {
  readonly order: GenerationOrder;
  /** Given if the log has only its start; else it is read. */
  readonly input?: GenerationInput | undefined;
  /** Resolves to true if Temporal gives the first task of the run to this worker, whose lease then has it. */
  readonly runIsOurs: Promise<boolean>;
  /**
   * True if that is likely: then a response that can be reattached to begins without waiting for it, and the workflow
   * task may be held for longer.
   */
  readonly isLikelyOurs: boolean;
}

export interface FirstStepsFacts {
  readonly order: GenerationOrder;
  /** Of the stream that it begins. */
  readonly epochMs: number;
  readonly runIsOurs: Promise<boolean>;
  /** True: if the run is ours, our lease has its first task, so that another process learns of our death. */
  readonly isLeased: boolean;
}

/** Read before anything is written or paid for. `ended`: an earlier run of this step has ended the generation. */
type Prepared =
  | { readonly ended: GenerationOutcome }
  | {
      readonly ended: null;
      readonly input: GenerationInput;
      readonly lookUp: Promise<CacheLookUp | null>;
    };

export class FirstSteps {
  readonly #dependencies: Dependencies;
  readonly #running: RunningStreams;
  readonly #order: GenerationOrder;
  readonly #epochMs: number;
  readonly #runIsOurs: Promise<boolean>;
  readonly #isLeased: boolean;

  constructor(dependencies: Dependencies, running: RunningStreams, facts: FirstStepsFacts) {
    this.#dependencies = dependencies;
    this.#running = running;
    this.#order = facts.order;
    this.#epochMs = facts.epochMs;
    this.#runIsOurs = facts.runIsOurs;
    this.#isLeased = facts.isLeased;
  }

  async run(): Promise<BegunGeneration> {
    return this.#begin(await this.#prepare(undefined));
  }

  /** @returns null if the run is not ours: then the workflow begins the generation elsewhere. */
  async runAhead({
    input,
    isLikelyOurs,
  }: Pick<EarlyStart, 'input' | 'isLikelyOurs'>): Promise<BegunGeneration | null> {
    // A run that has its conversation summarised first begins after that.
    if (this.#order.compaction !== undefined) return null;
    const prepared = await this.#prepare(input);
    const mayBeginEarly = isLikelyOurs && prepared.ended === null && this.#canBeReattached(prepared.input);
    if (!mayBeginEarly && !(await this.#runIsOurs)) return null;
    const begun = await this.#begin(prepared);
    return (await this.#runIsOurs) ? begun : null;
  }

  /** True if another worker that gets the run can resume the response, and need not pay for a second one. */
  #canBeReattached(input: GenerationInput): boolean {
    const [first] = this.#order.candidates;
    if (first === undefined) return false;
    const provider = this.#dependencies.providers.get(first.provider);
    return provider?.capabilities(first.model, input).reattach === true;
  }

  /** Reads the input and begins the cache look-up; pays and writes nothing. */
  async #prepare(input: GenerationInput | undefined): Promise<Prepared> {
    const stored = input === undefined ? await this.#readStored() : { input, events: [] };
    const { outcome: ended } = readRecord(stored.events);
    if (ended !== null) return { ended };
    if (stored.input === null) throw inputLost();
    return { ended, input: stored.input, lookUp: this.#lookUp({ ...stored, input: stored.input }) };
  }

  async #readStored() {
    const { log } = this.#dependencies;
    const { generationId } = this.#order;
    const [input, events] = await Promise.all([log.readInput(generationId), log.read(generationId, -1)]);
    return { input, events };
  }

  /** A failing cache never fails the generation. */
  async #lookUp(stored: StoredGeneration): Promise<CacheLookUp | null> {
    // The judge costs money, so wait until the run is known to be ours.
    if (this.#dependencies.cacheSettings(this.#order.route).judge && !(await this.#runIsOurs)) return null;
    return lookUpCache(this.#dependencies, this.#order, stored).catch(() => null);
  }

  async #begin(prepared: Prepared): Promise<BegunGeneration> {
    if (prepared.ended !== null) return this.#finish(prepared.ended);
    const { input, lookUp } = prepared;
    const admission = this.#enterGateEarly(input);
    const [found, reserved] = await Promise.all([
      lookUp,
      reserveBudget(this.#dependencies)(this.#order, input),
    ]);
    if (found?.outcome === 'hit' && !(await this.#runIsOurs)) throw notOurs();
    const cached = found === null ? null : await this.#replay(found);
    return cached === null ? this.#stream(reserved, admission) : this.#finish(cached);
  }

  /** If no cache can answer and the input is sent as it is, the gate is asked in parallel with the reservation. */
  #enterGateEarly(input: GenerationInput): Promise<Admission> | undefined {
    const [first] = this.#order.candidates;
    const { compression, compaction, omittedMessages } = input;
    const isWhole = compression === undefined && compaction === undefined && omittedMessages === undefined;
    const isPlain = isWhole && !cacheUseOf(this.#order.cache).reads;
    return isPlain && first !== undefined ? this.#enterGate(first, input) : undefined;
  }

  /** With the requested output cap: the granted one may be less. */
  async #enterGate(candidate: Candidate, input: GenerationInput): Promise<Admission> {
    const order = this.#order;
    const inputTokens = await worstSentTokens(input, this.#dependencies.countTexts);
    const reservedTokens = inputTokens + order.maxOutputTokens;
    const step = { order, candidate, reservedTokens, isLast: isOnly(order) };
    return enterGate(this.#dependencies, step, this.#epochMs);
  }

  #replay(found: CacheLookUp): Promise<GenerationOutcome | null> {
    return replayAnswer(this.#dependencies, this.#order, found).catch(() => null);
  }

  async #stream(
    { outcome: reserved, sent, compressed }: PreparedReservation,
    admission: Promise<Admission> | undefined,
  ): Promise<BegunGeneration> {
    const order = this.#order;
    const facts = compressed === undefined ? {} : { compressed };
    if (!reserved.granted) {
      returnAdmission(admission);
      return { next: 'refuse', refusal: reserved, ...facts };
    }
    const { granted: _, ...reservation } = reserved;
    const [candidate] = order.candidates;
    if (candidate === undefined) return { next: 'stream', reservation, waitMs: 0, ...facts };
    // The activity waits in the queue for a worker with a free slot, by priority and fairness.
    if (this.#running.isFull()) {
      returnAdmission(admission);
      return { next: 'stream', reservation, waitMs: 0, ...facts };
    }
    const step: StreamStep = { order, candidate, ...reservation, isLast: isOnly(order) };
    let isJoined = true;
    const stream = this.#running.joinOrStart(step, this.#epochMs, (control) => {
      isJoined = false;
      const prepared = { admission, sent, runIsOurs: this.#runIsOurs };
      return runStream(this.#dependencies, step, control, prepared);
    });
    if (isJoined) returnAdmission(admission);
    return { ...(await this.#awaitStream(stream.outcome, step, reservation)), ...facts };
  }

  async #awaitStream(
    streaming: Promise<GenerationOutcome>,
    step: StreamStep,
    reservation: GrantedReservation,
  ): Promise<BegunGeneration> {
    try {
      const outcome = await this.#waitForEnd(streaming);
      if (outcome === null) return { next: 'stream', reservation, waitMs: 0 };
      this.#running.claim(step);
      return await this.#finish(outcome);
    } catch (error) {
      this.#running.claim(step);
      // Another process took the log over with a later clock. The epoch is part of this step, so every retry of it
      // would be fenced off, too; the activity has a later epoch.
      if (logRefusal(error) === 'fenced') return { next: 'stream', reservation, waitMs: 0 };
      if (!(error instanceof ApplicationFailure) || !isErrorCode(error.type)) throw error;
      if (error.nonRetryable !== true) {
        return { next: 'stream', reservation, waitMs: Number(error.nextRetryDelay ?? 0) };
      }
      const failure = { code: error.type, message: error.message, ...readFailureFacts(error.details) };
      return { next: 'fall-back', reservation, failure };
    }
  }

  /** @returns null if the stream takes longer than a workflow task may be held: then an activity adopts it. */
  async #waitForEnd(streaming: Promise<GenerationOutcome>): Promise<GenerationOutcome | null> {
    const { adoptStreamAfterMs, adoptLeasedStreamAfterMs } = LIMITS;
    const { leaving } = this.#running;
    const outcome = await waitAtMost(adoptStreamAfterMs, streaming, leaving);
    if (outcome !== null || !this.#isLeased || !(await this.#runIsOurs)) return outcome;
    return waitAtMost(adoptLeasedStreamAfterMs - adoptStreamAfterMs, streaming, leaving);
  }

  async #finish(outcome: GenerationOutcome): Promise<BegunGeneration> {
    const order = this.#order;
    const settled = await settleBudget(this.#dependencies)({ order, outcome });
    if (cacheUseOf(order.cache).writes && !outcome.cached) {
      // The answer is complete without it; the same question costs another call later.
      await storeAnswer(this.#dependencies)({ order, outcome }).catch(() => undefined);
    }
    return { next: 'ended', outcome, ...settled };
  }
}

/** The call is not made after all. */
function returnAdmission(admission: Promise<Admission> | undefined): void {
  admission?.then(leaveUnused, () => undefined);
}

function isOnly({ candidates }: GenerationOrder): boolean {
  return candidates.length === 1;
}
