/** The state of a job: which steps have begun, what runs, what is spent, what people have decided. */
import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type {
  BegunStep,
  Decision,
  EndJob,
  JobFailure,
  JobName,
  JobOrder,
  JobProgress,
  PlannedStep,
  StepProgress,
} from '../contracts/job-steps.ts';
import { LIMITS } from '../contracts/limits.ts';
import type { MicroUsd } from '../contracts/money.ts';

interface StepState {
  state: StepProgress['state'];
  next: number;
  items: number;
  failed: number;
  running: number;
  spentMicroUsd: MicroUsd;
  /** The worst case of what runs. */
  heldMicroUsd: MicroUsd;
  deadlineAtMs: number;
  timeoutAtMs: number | null;
}

export class JobBoard {
  readonly order: JobOrder;
  readonly #steps: ReadonlyMap<string, StepState>;
  readonly #decisions = new Map<string, Decision>();
  #isPaused: boolean;
  #running = 0;
  #generations: number;
  #isPurseTaken = false;
  #failure: EndJob['failure'] = null;

  constructor(order: JobOrder) {
    this.order = order;
    const known = new Map(order.done?.steps.map((step) => [step.name, step]));
    this.#steps = new Map(order.steps.map(({ name }) => [name, stateOf(known.get(name), order)]));
    this.#isPaused = order.done?.isPaused ?? false;
    this.#generations = order.done?.generations ?? 0;
    for (const decision of order.done?.decisions ?? []) this.note(decision);
  }

  get jobName(): JobName {
    return { tenant: this.order.tenant, jobId: this.order.jobId };
  }

  /** Why the job ends; null while it may complete. */
  get failure(): EndJob['failure'] {
    return this.#failure;
  }

  /** Nothing new begins: a step has failed, or this run ends so that the next one continues. */
  get isStopping(): boolean {
    return this.#failure !== null || this.#isHistoryLong();
  }

  #isHistoryLong(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return continueAsNewSuggested || historyLength >= LIMITS.jobHistoryEvents;
  }

  isAllOver(): boolean {
    return [...this.#steps.values()].every(({ state }) => state === 'over');
  }

  /** Ends the job after a failure that no step expects. @throws the error */
  abort(step: PlannedStep, error: unknown): never {
    if (!isCancellation(error)) this.fail(step, { code: 'internal' });
    throw error;
  }

  progress(): JobProgress {
    const steps = [...this.#steps].map(([name, step]) => ({
      name,
      state: step.state,
      next: step.next,
      items: step.items,
      failed: step.failed,
      spentMicroUsd: step.spentMicroUsd,
      deadlineAtMs: step.deadlineAtMs,
      timeoutAtMs: step.timeoutAtMs,
    }));
    return {
      steps,
      isPaused: this.#isPaused,
      generations: this.#generations,
      decisions: [...this.#decisions.values()],
    };
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  note(decision: Decision): void {
    this.#decisions.set(decision.step, decision);
  }

  decisionOn(name: string): Decision | undefined {
    return this.#decisions.get(name);
  }

  isReady({ name, needs }: PlannedStep): boolean {
    return !this.#isPaused && needs.every((need) => this.isOver(need)) && this.#steps.has(name);
  }

  isOver(name: string): boolean {
    return this.#of(name).state === 'over';
  }

  hasBegun(name: string): boolean {
    return this.#of(name).state !== 'pending';
  }

  timeoutAtMs(name: string): number | null {
    return this.#of(name).timeoutAtMs;
  }

  deadlineAtMs(name: string): number {
    return Math.min(this.order.deadlineAtMs, this.#of(name).deadlineAtMs);
  }

  begin(name: string, begun: BegunStep): void {
    const step = this.#of(name);
    if (begun.next === 'skip' || begun.next === 'done') step.state = 'over';
    if (begun.next === 'wait') Object.assign(step, { state: 'waiting', timeoutAtMs: begun.timeoutAtMs });
    if (begun.next !== 'generate') return;
    Object.assign(step, { state: 'running', items: begun.items, deadlineAtMs: begun.deadlineAtMs });
  }

  hasNext(name: string): boolean {
    const { next, items } = this.#of(name);
    return next < items;
  }

  mayStart({ name, maxParallel }: PlannedStep): boolean {
    return !this.#isPaused && this.#running < this.order.maxParallel && this.#of(name).running < maxParallel;
  }

  /** @returns the number of the item that begins now. */
  take(name: string): number {
    const step = this.#of(name);
    step.running += 1;
    this.#running += 1;
    step.next += 1;
    return step.next - 1;
  }

  release(name: string): void {
    this.#of(name).running -= 1;
    this.#running -= 1;
  }

  finish(name: string): void {
    this.#of(name).state = 'over';
  }

  fail({ name }: PlannedStep, { code }: JobFailure): void {
    this.#of(name).state = 'failed';
    this.#failure ??= { code, step: name };
  }

  failItem(step: PlannedStep, failure: JobFailure): void {
    this.#of(step.name).failed += 1;
    if (step.onError === 'fail') this.fail(step, failure);
  }

  /** Counts a generation. @returns false if the job has had as many as it may. */
  countGeneration(): boolean {
    this.#generations += 1;
    return this.#generations <= LIMITS.generationsPerJob;
  }

  /** What the job and the step may still spend; null: no limit. */
  leftMicroUsd({ name, maxCostMicroUsd }: PlannedStep): MicroUsd | null {
    const limits = [
      ...(maxCostMicroUsd === null ? [] : [maxCostMicroUsd - usedBy(this.#of(name))]),
      ...(this.order.maxCostMicroUsd === null
        ? []
        : [
            this.order.maxCostMicroUsd -
              [...this.#steps.values()].reduce((sum, step) => sum + usedBy(step), 0),
          ]),
    ];
    return limits.length === 0 ? null : Math.max(0, Math.min(...limits));
  }

  /** The worst case of all that runs: its end may leave more to spend. */
  get heldMicroUsd(): MicroUsd {
    return [...this.#steps.values()].reduce((sum, { heldMicroUsd }) => sum + heldMicroUsd, 0);
  }

  /** Only its holder may decide to spend. @returns whether the caller has it now. */
  takePurse(): boolean {
    if (this.#isPurseTaken) return false;
    this.#isPurseTaken = true;
    return true;
  }

  givePurse(): void {
    this.#isPurseTaken = false;
  }

  hold(name: string, mostMicroUsd: MicroUsd): void {
    this.#of(name).heldMicroUsd += mostMicroUsd;
  }

  settle(name: string, mostMicroUsd: MicroUsd, costMicroUsd: MicroUsd): void {
    const step = this.#of(name);
    step.heldMicroUsd -= mostMicroUsd;
    step.spentMicroUsd += costMicroUsd;
  }

  #of(name: string): StepState {
    const step = this.#steps.get(name);
    if (step === undefined) throw new Error(`The job has no step ${name}.`);
    return step;
  }
}

function usedBy({ spentMicroUsd, heldMicroUsd }: StepState): MicroUsd {
  return spentMicroUsd + heldMicroUsd;
}

function stateOf(known: StepProgress | undefined, { deadlineAtMs }: JobOrder): StepState {
  return {
    state: known?.state ?? 'pending',
    next: known?.next ?? 0,
    items: known?.items ?? 0,
    failed: known?.failed ?? 0,
    running: 0,
    spentMicroUsd: known?.spentMicroUsd ?? 0,
    heldMicroUsd: 0,
    deadlineAtMs: known?.deadlineAtMs ?? deadlineAtMs,
    timeoutAtMs: known?.timeoutAtMs ?? null,
  };
}
