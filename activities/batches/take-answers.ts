/**
 * Ends the generations of prepared lines: with the answers that vendors' batches have given, each booked once at the
 * price of a batch; and, where no call will be made, without one. Repeated, it changes nothing.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { BatchStop, TakeAnswers, TakenAnswers } from '../../contracts/batches.ts';
import type { BudgetWarning } from '../../contracts/budgets.ts';
import { cacheUseOf } from '../../contracts/cache-mode.ts';
import { type ErrorCode, isErrorCode, TIMEOUT_MESSAGE } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { serviceTier } from '../../contracts/money.ts';
import type { GenerationOutcome, StreamStep } from '../../contracts/steps.ts';
import type { WebhookDelivery } from '../../contracts/webhooks.ts';
import type { PreparedLine } from '../../engine/batches/handover.ts';
import type { AnswerPlace } from '../../engine/batches/handover-objects.ts';
import { RunningStreams } from '../attempt/running-streams.ts';
import { readSentInput } from '../attempt/sent-input.ts';
import { closeGeneration } from '../close-generation.ts';
import type { Dependencies } from '../dependencies.ts';
import { inputLost, permanent } from '../failures.ts';
import { withHeartbeats } from '../heartbeats.ts';
import { settleBudget } from '../settle-budget.ts';
import { storeAnswer } from '../store-answer.ts';
import { runStream } from '../stream-from-provider.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import { admissionWith, storedAnswer } from './stored-answer.ts';

export type Taking = Dependencies & Pick<BatchDependencies, 'handoverObjects' | 'nowMs' | 'vendorBatches'>;

export function takeAnswers(dependencies: Taking) {
  return (step: TakeAnswers): Promise<TakenAnswers> =>
    withHeartbeats(() =>
      takeAnswersAt(dependencies, step, activityInfo().currentAttemptScheduledTimestampMs),
    );
}

/** @param epoch of the attempts that read the answers */
export async function takeAnswersAt(
  dependencies: Taking,
  step: TakeAnswers,
  epoch: number,
): Promise<TakenAnswers> {
  const { handoverObjects } = dependencies;
  const [prepared, places] = await Promise.all([
    handoverObjects.readPrepared(step),
    handoverObjects.readPlaces(step),
  ]);
  const taking = new AnswerTaking(dependencies, step, epoch);
  const first = step.shard * step.shardLines;
  const ended = new Set(step.except);
  for (const line of prepared ?? []) {
    if (!ended.has(line.line)) await taking.take(line, places[line.line - first] ?? null);
  }
  return taking.taken();
}

/** A vendor's answer that its caller does not accept is followed by another call, within the caller's limits. */
const ASKED_AGAIN: ReadonlySet<string> = new Set<ErrorCode>(['output_invalid', 'content_filtered']);

/** Why a line that was not answered is ended. */
const ENDS = {
  cancelled: { as: 'cancelled', error: { code: 'cancelled', message: 'Its batch was cancelled.' } },
  expired: { as: 'failed', error: { code: 'generation_timeout', message: TIMEOUT_MESSAGE } },
} as const;

class AnswerTaking {
  readonly #dependencies: Taking;
  readonly #step: TakeAnswers;
  readonly #epoch: number;
  /** These streams are short, and hold no slot of the worker. */
  readonly #streams = new RunningStreams();
  readonly #lines: number[] = [];
  readonly #warnings: BudgetWarning[] = [];
  readonly #deliveries: WebhookDelivery[] = [];

  constructor(dependencies: Taking, step: TakeAnswers, epoch: number) {
    this.#dependencies = dependencies;
    this.#step = step;
    this.#epoch = epoch;
  }

  taken(): TakenAnswers {
    return { lines: this.#lines, warnings: this.#warnings, deliveries: this.#deliveries };
  }

  async take(line: PreparedLine, place: AnswerPlace | null): Promise<void> {
    const { order } = line;
    const answered = place === null ? null : await this.#deliver(line, place);
    const outcome = answered ?? (this.#step.closes ? await this.#close(line) : null);
    if (outcome === null) return;
    const { warnings, deliveries = [] } = await settleBudget(this.#dependencies)({ order, outcome });
    this.#lines.push(line.line);
    this.#warnings.push(...warnings);
    this.#deliveries.push(...deliveries);
    if (place === null || outcome.status !== 'completed' || !cacheUseOf(order.cache).writes) return;
    // The answer is complete without it; the same question costs another call later.
    await storeAnswer(this.#dependencies)({ order, outcome }).catch(() => undefined);
  }

  /** @returns null if the answer is on record, and is followed by another one. */
  async #deliver(line: PreparedLine, place: AnswerPlace): Promise<GenerationOutcome | null> {
    const { order } = line;
    try {
      return await this.#read(line, place);
    } catch (error) {
      const code = error instanceof ApplicationFailure ? error.type : undefined;
      if (!isErrorCode(code) || code === 'attempt_interrupted') throw error;
      if (ASKED_AGAIN.has(code)) return null;
      // It is paid, and cannot be read; the line is not called, so that it is not paid twice.
      const message = 'The answer of the provider cannot be read.';
      return closeGeneration(this.#dependencies)({ order, as: 'failed', error: { code, message } });
    }
  }

  async #read({ order, reservation, handed }: PreparedLine, place: AnswerPlace): Promise<GenerationOutcome> {
    const { handoverObjects, gate, priceOf, vendorBatches } = this.#dependencies;
    const { keyId, body } = await handoverObjects.readAnswer(this.#step, place);
    const vendor = handed === null ? undefined : vendorBatches.get(handed.candidate.provider);
    if (handed === null || reservation === null || vendor === undefined) {
      throw permanent('model_not_found', 'The provider that has answered is not configured any more.');
    }
    const { candidate } = handed;
    const step: StreamStep = {
      // Neither a cache nor another generation answers in place of what is paid, whatever the time.
      order: { ...order, cache: 'off', deadlineAtMs: Number.MAX_SAFE_INTEGER },
      candidate,
      ...reservation,
      isLast: order.candidates.length === 1,
    };
    const sent = await readSentInput(this.#dependencies, order);
    if (sent === null) throw inputLost();
    const reading: Dependencies = {
      ...this.#dependencies,
      providers: new Map([[candidate.provider, storedAnswer(vendor, body)]]),
      // If the vendor did not say what it used, that is estimated; its price is that of a batch all the same.
      priceOf: (provider, model, usage) => priceOf(provider, model, { ...usage, ...serviceTier('batch') }),
    };
    const key = gate.keyOf(candidate.provider, keyId) ?? { id: keyId, secret: undefined };
    const stream = this.#streams.joinOrStart(step, this.#epoch, (control) => {
      // Who cancels a line has its answer all the same: it is paid.
      const stop: typeof control.stop = (why) => (why === 'cancel' ? undefined : control.stop(why));
      const admission = Promise.resolve(admissionWith(key));
      return runStream(reading, step, { ...control, stop }, { sent, admission });
    });
    this.#streams.claim(step);
    return stream.outcome;
  }

  /** @returns null if it has ended, and is settled: it was called. */
  async #close({ order }: PreparedLine): Promise<GenerationOutcome | null> {
    const { budget, log, nowMs } = this.#dependencies;
    const { tenant, generationId } = order;
    const [head, reservedCap] = await Promise.all([
      log.head(generationId),
      budget.currentCap(tenant, generationId),
    ]);
    if (head?.status !== 'running' && reservedCap === null) return null;
    // Its time was over before a call of it could begin.
    const isOver = nowMs() >= (order.deadlineAtMs ?? Number.POSITIVE_INFINITY) - LIMITS.minDeadlineMs;
    const stop: BatchStop = this.#step.stop ?? (isOver ? 'expired' : 'cancelled');
    return closeGeneration(this.#dependencies)({ order, ...ENDS[stop] });
  }
}
