/** What a job's events say of it: the state of each step, its generations, money. */
import type { JobEvent, JobStatus, JobStepView } from './jobs.ts';
import { addUsage, NO_USAGE, type Usage } from './money.ts';

type EventOf<Type extends JobEvent['type']> = Extract<JobEvent, { type: Type }>;
type ErrorBody = EventOf<'job-error'>['error'];

interface FoldedGeneration {
  /** The seq of its `generation-open`; null if it could not begin. */
  readonly openedBy: number | null;
  readonly item: number | null;
  readonly attempt: number;
  readonly generationId: string | null;
  status: 'running' | 'completed' | 'failed' | 'cancelled';
  costMicroUsd: number;
  error: ErrorBody | null;
}

export interface FoldedStep {
  readonly name: string;
  /** null: of a job that older code started. */
  readonly needs: readonly string[] | null;
  status: JobStepView['status'];
  /** null without `foreach`. */
  items: number | null;
  usage: Usage;
  costMicroUsd: number;
  startedAt: number | null;
  endedAt: number | null;
  approval: { readonly message: string | null; readonly timeoutAt: number | null } | null;
  decision: EventOf<'approval'> | null;
  error: ErrorBody | null;
  readonly generations: FoldedGeneration[];
}

type Terminal = EventOf<'job-end' | 'job-error' | 'job-cancel'>;

export interface FoldedJob {
  readonly steps: ReadonlyMap<string, FoldedStep>;
  readonly isPaused: boolean;
  readonly usage: Usage;
  readonly costMicroUsd: number;
  readonly rerunOf: EventOf<'job-start'>['rerunOf'] | null;
  /** The last event of an ended job. */
  readonly end: Terminal | null;
}

export function isJobEnd(event: JobEvent): event is Terminal {
  return event.type === 'job-end' || event.type === 'job-error' || event.type === 'job-cancel';
}

export function foldJob(events: Iterable<JobEvent>): FoldedJob {
  const fold = new JobFold();
  for (const event of events) fold.add(event);
  return fold.folded();
}

/** Folds events as they are read, and keeps none of them. */
export async function foldRead(events: AsyncIterable<JobEvent>): Promise<FoldedJob> {
  const fold = new JobFold();
  for await (const event of events) fold.add(event);
  return fold.folded();
}

class JobFold {
  readonly #steps = new Map<string, FoldedStep>();
  #isPaused = false;
  #rerunOf: FoldedJob['rerunOf'] = null;
  #end: Terminal | null = null;

  add(event: JobEvent): void {
    if (event.type === 'job-start') {
      const { needs = {} } = event;
      for (const name of event.steps) this.#steps.set(name, newStep(name, needs[name] ?? null));
      this.#rerunOf = event.rerunOf ?? null;
    } else if (isJobEnd(event)) this.#end = event;
    else if (event.type === 'job-pause' || event.type === 'job-resume') {
      this.#isPaused = event.type === 'job-pause';
    } else {
      const step = this.#steps.get(event.step);
      if (step !== undefined) foldStep(step, event);
    }
  }

  folded(): FoldedJob {
    const all = [...this.#steps.values()];
    return {
      steps: this.#steps,
      isPaused: this.#isPaused,
      rerunOf: this.#rerunOf,
      end: this.#end,
      usage: all.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
      costMicroUsd: all.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
    };
  }
}

function newStep(name: string, needs: FoldedStep['needs']): FoldedStep {
  return {
    name,
    needs,
    status: 'pending',
    items: null,
    usage: NO_USAGE,
    costMicroUsd: 0,
    startedAt: null,
    endedAt: null,
    approval: null,
    decision: null,
    error: null,
    generations: [],
  };
}

type StepEvent = Extract<JobEvent, { step: string }>;

function foldStep(step: FoldedStep, event: StepEvent): void {
  switch (event.type) {
    case 'step-start':
      step.status = 'running';
      step.items = event.items;
      step.startedAt = event.at;
      return;
    case 'step-skip':
    case 'step-reuse':
      step.status = event.type === 'step-skip' ? 'skipped' : 'reused';
      if (event.type === 'step-reuse') step.items = event.items;
      step.endedAt = event.at;
      return;
    case 'generation-open':
      step.generations.push({
        openedBy: event.seq,
        item: event.item,
        attempt: event.attempt,
        generationId: event.generationId,
        status: 'running',
        costMicroUsd: 0,
        error: null,
      });
      return;
    case 'generation-close':
      closeGeneration(step, event);
      return;
    case 'approval-request':
      step.status = 'waiting';
      step.startedAt = event.at;
      step.approval = { message: event.message, timeoutAt: event.timeoutAt };
      return;
    case 'approval':
      step.decision = event;
      step.status = 'running';
      return;
    case 'step-end':
      step.status = event.status;
      step.error = event.error ?? null;
      step.endedAt = event.at;
  }
}

function closeGeneration(step: FoldedStep, event: EventOf<'generation-close'>): void {
  const { item, attempt, generationId, status, costMicroUsd, usage, error = null } = event;
  const isIt = (other: FoldedGeneration) => other.item === item && other.attempt === attempt;
  const open = step.generations.findLast(isIt);
  if (open === undefined) {
    step.generations.push({ openedBy: null, item, attempt, generationId, status, costMicroUsd, error });
  } else Object.assign(open, { status, costMicroUsd, error });
  step.costMicroUsd += costMicroUsd;
  step.usage = addUsage(step.usage, usage);
}

/** How many items have ended well, and how many have ended without an answer. */
export function itemsOf({ generations, status, items }: FoldedStep): { done: number; failed: number } {
  if (status === 'reused') return { done: items ?? 1, failed: 0 };
  const last = new Map(generations.map((generation) => [generation.item, generation.status]));
  const ended = [...last.values()].filter((each) => each !== 'running');
  return {
    done: ended.filter((each) => each === 'completed').length,
    failed: ended.filter((each) => each !== 'completed').length,
  };
}

export function jobStatusOf({ end, isPaused, steps }: FoldedJob): JobStatus {
  if (end !== null) {
    return ({ 'job-end': 'completed', 'job-error': 'failed', 'job-cancel': 'cancelled' } as const)[end.type];
  }
  if (isPaused) return 'paused';
  const states = [...steps.values()].map(({ status }) => status);
  return states.includes('waiting') && !states.includes('running') ? 'waiting' : 'running';
}

/** What ran or waited at the end of its job was cancelled with it. */
export function stepStatusOf({ status }: FoldedStep, { end }: FoldedJob): JobStepView['status'] {
  const isOpen = status === 'running' || status === 'waiting';
  return isOpen && end !== null ? 'cancelled' : status;
}
