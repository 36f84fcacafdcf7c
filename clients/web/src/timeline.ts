/**
 * The timeline of a run: what it did in each stretch of time, folded from its events. Times are ms since 1970, as the
 * server wrote them.
 */
import { candidateName } from '../../../contracts/candidate.ts';
import { isTerminal } from '../../../contracts/fold-events.ts';
import type { GenerationEvent } from '../../typescript/index.ts';
import { formatCost, formatCount, formatDuration } from './format.ts';

type StepKind = 'queue' | 'cache' | 'follow' | 'first-token' | 'stream' | 'wait' | 'end';

export interface Step {
  readonly kind: StepKind;
  readonly name: string;
  readonly detail: string;
  readonly fromMs: number;
  /** null: it is still running. */
  readonly untilMs: number | null;
  readonly tone: 'plain' | 'good' | 'bad' | 'late';
  /** Its text was withdrawn. */
  readonly isVoid: boolean;
  /** Only of the first text: the seq that it began at, when deltas were merged and its time is therefore not exact. */
  readonly mergedFrom?: number;
}

export interface Timeline {
  readonly steps: readonly Step[];
  readonly beganAtMs: number | null;
  readonly endedAtMs: number | null;
  /** The candidate of the latest attempt. */
  readonly candidate: string | null;
}

export const EMPTY_TIMELINE: Timeline = { steps: [], beganAtMs: null, endedAtMs: null, candidate: null };

const STRATEGIES = {
  start: '',
  reattach: 'reattaches to the running response',
  prefill: 'continues the delivered text',
  instruct: 'is instructed to continue the delivered text',
  restart: 'starts over',
} as const;

type Match = Extract<GenerationEvent, { type: 'cache-hit' | 'cache-join' }>;

const MATCHES: Readonly<Record<NonNullable<Match['matchedBy']>, string>> = {
  'same-words': 'the same words',
  rules: 'other words, matched by rules',
  model: 'other words, matched by the model',
  judge: 'other words, matched by the judge',
};

/** Why a stored question counts as the same. Logs of earlier releases say only how similar it is. */
export function describeMatch({ similarity, matchedBy, probability }: Match): string {
  const by = matchedBy === undefined ? [] : [MATCHES[matchedBy]];
  const sure = probability === undefined ? [] : [`probability ${probability.toFixed(3)}`];
  return [...by, ...sure, `similarity ${similarity.toFixed(2)}`].join(', ');
}

export function foldTimeline(before: Timeline, event: GenerationEvent): Timeline {
  const timeline = isTerminal(event) ? { ...before, endedAtMs: event.at } : before;
  switch (event.type) {
    case 'generation-start': {
      const queue = stepOf(event, { kind: 'queue', name: 'Queue', detail: `route ${event.route}` });
      return { ...timeline, beganAtMs: event.at, steps: [queue] };
    }
    case 'cache-ask': {
      const detail = `${candidateName(event)} compares a stored question`;
      return next(timeline, stepOf(event, { kind: 'cache', name: 'Cache', detail }));
    }
    case 'cache-judge': {
      const verdict = event.same ? 'the same question' : 'another question';
      return close(timeline, event.at, `${verdict}, ${formatCost(event.costMicroUsd)}`);
    }
    case 'cache-hit': {
      const detail = `${describeMatch(event)}, stored ${formatDuration(event.ageMs)} before`;
      const hit = stepOf(event, { kind: 'cache', name: 'Answer from the cache', detail, tone: 'good' });
      return next(timeline, hit);
    }
    case 'cache-join': {
      const detail = `the same question (${describeMatch(event)}) is being answered: ${event.leader}`;
      return next(timeline, stepOf(event, { kind: 'follow', name: 'Shared call', detail, tone: 'good' }));
    }
    case 'cache-leave':
      return next(timeline, stepOf(event, { kind: 'queue', name: 'Queue', detail: event.reason }));
    case 'cache-skip':
      return remark(timeline, `cache skipped: ${event.reason}`);
    case 'prompt-compress': {
      const [before, after] = [formatCount(event.tokensBefore), formatCount(event.tokensAfter)];
      return remark(timeline, `context compressed from ${before} to ${after} tokens`);
    }
    case 'compaction':
      return remark(timeline, `older turns summarised by ${event.generationId}`);
    case 'budget-reserve':
      return remark(timeline, `${formatCount(event.reservedTokens)} tokens of the budget reserved`);
    case 'provider-start':
      return withAttempt(timeline, event);
    case 'text-delta':
    case 'reasoning-delta':
    case 'tool-call-delta':
      return withOutput(timeline, event);
    case 'text-reset':
      return { ...timeline, steps: timeline.steps.map(voided) };
    case 'provider-error': {
      const failed = close(timeline, event.at, event.code, 'bad');
      const detail = event.resumable ? 'until the response is resumed' : 'until the next attempt';
      return next(failed, stepOf(event, { kind: 'wait', name: 'Wait', detail, tone: 'late' }));
    }
    case 'generation-end': {
      const detail = `${event.finishReason}, ${formatCost(event.costMicroUsd)}${sharedBy(event)}`;
      return ended(timeline, event, { name: 'Complete', detail, tone: 'good' });
    }
    case 'generation-error':
      return ended(timeline, event, { name: 'Failed', detail: event.error.code, tone: 'bad' });
    case 'generation-cancel': {
      const detail = `${formatCost(event.costMicroUsd)} billed`;
      return ended(timeline, event, { name: 'Cancelled', detail, tone: 'late' });
    }
    default:
      return timeline;
  }
}

type AttemptStart = Extract<GenerationEvent, { type: 'provider-start' }>;

/** The wait before it gets its name: another attempt at the same candidate is a retry, at another one a fallback. */
function withAttempt(timeline: Timeline, event: AttemptStart): Timeline {
  const candidate = candidateName(event);
  const last = timeline.steps.at(-1);
  let { steps } = timeline;
  if (last?.kind === 'wait') {
    const name = timeline.candidate === candidate ? 'Wait for the retry' : 'Fallback';
    steps = [...steps.slice(0, -1), { ...last, name, detail: `to ${candidate}` }];
  }
  const strategy = STRATEGIES[event.strategy];
  const detail = strategy === '' ? candidate : `${candidate} ${strategy}`;
  const name = `Attempt ${event.attempt}: first token`;
  return next({ ...timeline, candidate, steps }, stepOf(event, { kind: 'first-token', name, detail }));
}

function withOutput(timeline: Timeline, event: GenerationEvent): Timeline {
  const last = timeline.steps.at(-1);
  if (last?.kind !== 'first-token') return timeline;
  const name = last.name.replace(': first token', ': output');
  const merged = event.from === undefined || event.from === event.seq ? {} : { mergedFrom: event.from };
  const stream = stepOf(event, { kind: 'stream', name, detail: last.detail, tone: 'good' });
  return next(timeline, { ...stream, ...merged });
}

function ended(
  timeline: Timeline,
  event: GenerationEvent,
  end: Pick<Step, 'name' | 'detail' | 'tone'>,
): Timeline {
  const failed = end.tone === 'bad' && timeline.steps.at(-1)?.kind !== 'wait';
  const closed = failed ? close(timeline, event.at, '', 'bad') : timeline;
  return next(closed, { ...stepOf(event, { kind: 'end', ...end }), untilMs: event.at });
}

function sharedBy(event: Extract<GenerationEvent, { type: 'generation-end' }>): string {
  return event.shared === undefined ? '' : `, one call shared by ${formatCount(event.shared.by)}`;
}

type NewStep = Pick<Step, 'kind' | 'name' | 'detail'> & Partial<Pick<Step, 'tone'>>;

function stepOf(event: GenerationEvent, step: NewStep): Step {
  return { tone: 'plain', isVoid: false, ...step, fromMs: event.at, untilMs: null };
}

/** Ends the running step where the next one begins. */
function next(timeline: Timeline, step: Step): Timeline {
  const { steps } = close(timeline, step.fromMs, '');
  return { ...timeline, steps: [...steps, step] };
}

/** Adds to the running step what happened within it. */
function remark(timeline: Timeline, text: string): Timeline {
  const last = timeline.steps.at(-1);
  if (last === undefined || last.untilMs !== null) return timeline;
  return {
    ...timeline,
    steps: [...timeline.steps.slice(0, -1), { ...last, detail: `${last.detail}; ${text}` }],
  };
}

function close(timeline: Timeline, atMs: number, remark: string, tone?: Step['tone']): Timeline {
  const last = timeline.steps.at(-1);
  if (last === undefined || last.untilMs !== null) return timeline;
  const detail = remark === '' ? last.detail : `${last.detail}: ${remark}`;
  const closed = { ...last, detail, untilMs: atMs, tone: tone ?? last.tone };
  return { ...timeline, steps: [...timeline.steps.slice(0, -1), closed] };
}

function voided(step: Step): Step {
  return step.kind === 'stream' ? { ...step, isVoid: true, tone: 'bad' } : step;
}

/** The exact time of a first text whose deltas were merged: a correction of the step that began with it. */
export function correctFirstText(timeline: Timeline, seq: number, atMs: number): Timeline {
  const at = timeline.steps.findIndex(({ mergedFrom }) => mergedFrom === seq);
  if (at < 1) return timeline;
  const steps = timeline.steps.map((step, index) => {
    if (index === at - 1) return { ...step, untilMs: atMs };
    if (index !== at) return step;
    const { mergedFrom: _exact, ...rest } = step;
    return { ...rest, fromMs: atMs };
  });
  return { ...timeline, steps };
}
