/**
 * Decides which models may answer, in which order, and why. Pure: the same question and facts give the same decision.
 * It is made once, when a generation is submitted, and stored with it.
 */
import { candidateName, isSameCandidate } from '../../contracts/candidate.ts';
import type { Candidate, RoutingPlan } from '../../contracts/generation.ts';
import { formatUsd, type MicroUsd } from '../../contracts/money.ts';
import type { CircuitState } from '../../contracts/routing.ts';
import type { Route, RouteCandidate } from '../../platform/config/route-schema.ts';
import type { ClassifiedTask } from './classify-task.ts';
import { drawByWeight } from './draw-by-weight.ts';
import type { CandidateFacts, ModelHealth } from './route-facts.ts';

/** The output length for which the speed of models is compared. */
const USUAL_OUTPUT_TOKENS = 400;

/** A model counts as fast as another up to this factor: measured times vary by more from minute to minute. */
const AS_FAST = 1.1;

export interface RouteQuestion {
  readonly route: Route;
  /** null if the route has no models for tasks. */
  readonly task: ClassifiedTask | null;
  /** An upper bound, as `boundInputTokens` counts. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** The generation's id: a retry repeats the weighted choice. */
  readonly seed: string;
  /**
   * The key of the conversation, whose turns prefer the same model: it may have their prompt in its cache. Absent if
   * the prompt is too short for that.
   */
  readonly conversation?: string | undefined;
  readonly nowMs: number;
}

export interface RouteKnowledge {
  readonly factsOf: (candidate: Candidate) => CandidateFacts;
  readonly healthOf: (candidate: Candidate) => ModelHealth;
}

/** One model of the route, as `POST /v1/routes/explain` shows it. */
interface ConsideredModel extends Candidate {
  /** 1 is tried first; null: not tried. */
  readonly place: number | null;
  readonly why: string;
  /** The most that this generation can cost here; null if no price is known. */
  readonly maxCostMicroUsd: MicroUsd | null;
  readonly contextTokens: number | null;
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
  readonly circuit: CircuitState;
}

export interface RouteDecision {
  readonly task: ClassifiedTask | null;
  readonly considered: readonly ConsideredModel[];
  readonly candidates: readonly Candidate[];
  readonly plan: RoutingPlan;
}

/** `last`: tried after all that are ready. `out`: it cannot answer. */
type Standing = 'ready' | 'last' | 'out';

interface Weighed {
  readonly candidate: RouteCandidate;
  readonly facts: CandidateFacts;
  readonly health: ModelHealth;
  readonly maxCostMicroUsd: MicroUsd | null;
  readonly isForTask: boolean;
  readonly standing: Standing;
  readonly why: string;
}

export function decideRoute(question: RouteQuestion, knowledge: RouteKnowledge): RouteDecision {
  const { route, task } = question;
  // Own names only: `constructor` is no task.
  const forTask =
    task !== null && Object.hasOwn(route.tasks, task.task) ? (route.tasks[task.task] ?? []) : [];
  const others = route.candidates.filter(
    (candidate) => !forTask.some((taskCandidate) => isSameCandidate(candidate, taskCandidate)),
  );
  const weighed = [
    ...arrange(
      question,
      forTask.map((candidate) => weigh(question, knowledge, { candidate, isForTask: true })),
    ),
    ...arrange(
      question,
      others.map((candidate) => weigh(question, knowledge, { candidate, isForTask: false })),
    ),
  ];
  const able = weighed.filter(({ standing }) => standing !== 'out');
  // Our count of tokens is an upper bound: if no window seems large enough, the provider decides.
  const tried =
    able.length > 0 ? stableBy(able, ({ standing }) => (standing === 'ready' ? 0 : 1)) : largest(weighed);
  const untried = weighed.filter((model) => !tried.includes(model));
  const considered = [
    ...tried.map((model, index) => toConsidered(model, index + 1)),
    ...untried.map((model) => toConsidered(model, null)),
  ];
  return {
    task,
    considered,
    candidates: tried.map(({ candidate: { provider, model } }) => ({ provider, model })),
    plan: planOf(question, knowledge, tried, considered),
  };
}

function planOf(
  { route, task }: RouteQuestion,
  { factsOf }: RouteKnowledge,
  tried: readonly Weighed[],
  considered: readonly ConsideredModel[],
): RoutingPlan {
  const { onContentPolicy, whenFull, maxWaitMs, cachedAnswer } = route;
  return {
    task: task?.task ?? null,
    reasons: [
      ...(task === null ? [] : [`task ${task.task}: ${task.because}`]),
      ...considered.map(
        (model) => `${candidateName(model)}: ${model.why}, ${costText(model.maxCostMicroUsd)}`,
      ),
    ],
    contextTokens: tried.map(({ facts }) => facts.contextTokens),
    onContextLength: route.onContextLength.map(({ provider, model }) => ({
      provider,
      model,
      contextTokens: factsOf({ provider, model }).contextTokens,
    })),
    onContentPolicy,
    whenFull,
    maxWaitMs,
    cachedAnswer,
  };
}

function weigh(
  { task, inputTokens, maxOutputTokens, nowMs }: RouteQuestion,
  { factsOf, healthOf }: RouteKnowledge,
  { candidate, isForTask }: Pick<Weighed, 'candidate' | 'isForTask'>,
): Weighed {
  const facts = factsOf(candidate);
  const health = healthOf(candidate);
  const { contextTokens, cannot } = facts;
  const known = {
    candidate,
    facts,
    health,
    isForTask,
    maxCostMicroUsd: facts.costMicroUsd(inputTokens, maxOutputTokens),
  };
  if (cannot !== null) return { ...known, standing: 'out', why: `cannot take this input: ${cannot}` };
  if (contextTokens !== null && inputTokens > contextTokens) {
    const why = `its window of ${contextTokens} tokens is too small for up to ${inputTokens}`;
    return { ...known, standing: 'out', why };
  }
  if (!health.hasKey) return { ...known, standing: 'last', why: 'no key of this provider works at present' };
  const mayProbe = health.circuit === 'open' && (health.retryAtMs ?? 0) <= nowMs;
  if (health.circuit !== 'closed' && !mayProbe) {
    return { ...known, standing: 'last', why: `circuit ${health.circuit}: it failed too often just now` };
  }
  const why = isForTask ? `for ${task?.task} tasks` : task === null ? 'of the route' : 'stands in';
  return { ...known, standing: 'ready', why };
}

function arrange(question: RouteQuestion, models: readonly Weighed[]): readonly Weighed[] {
  switch (question.route.order) {
    case 'listed':
      return models.map(withReason(() => 'as listed'));
    case 'weighted':
      return stableBy(models, ({ candidate }) => -chance(question, candidate)).map(
        withReason(() => 'by weight'),
      );
    case 'cost':
      return stableBy(models, ({ maxCostMicroUsd }) => maxCostMicroUsd ?? Number.POSITIVE_INFINITY).map(
        withReason(() => 'by cost'),
      );
    case 'latency': {
      const output = Math.min(USUAL_OUTPUT_TOKENS, question.maxOutputTokens);
      const known = models.flatMap((model) => usualMs(model, output) ?? []);
      // A model without recent measurements ranks in the middle, so that it gets measured again.
      const middle = known.reduce((sum, ms) => sum + ms, 0) / Math.max(1, known.length);
      const reason = (model: Weighed) => {
        const ms = usualMs(model, output);
        return ms === null ? 'by latency, not measured lately' : `by latency, about ${Math.round(ms)} ms`;
      };
      const msOf = (model: Weighed) => usualMs(model, output) ?? middle;
      return byLatency(question, models, msOf).map(withReason(reason));
    }
  }
}

/** Of the models that are about as fast as the fastest, a conversation prefers the same at every turn. */
function byLatency(
  question: RouteQuestion,
  models: readonly Weighed[],
  msOf: (model: Weighed) => number,
): readonly Weighed[] {
  const ranked = stableBy(models, msOf);
  const [fastest] = ranked;
  if (question.conversation === undefined || fastest === undefined) return ranked;
  const isAsFast = (model: Weighed) =>
    model.health.firstTokenMs !== null && msOf(model) <= msOf(fastest) * AS_FAST;
  const asFast = stableBy(ranked.filter(isAsFast), ({ candidate }) => -chance(question, candidate));
  return [...asFast, ...ranked.filter((model) => !isAsFast(model))];
}

function withReason(reasonOf: (model: Weighed) => string) {
  return (model: Weighed): Weighed => ({ ...model, why: `${model.why}, ${reasonOf(model)}` });
}

function usualMs(
  { health: { firstTokenMs, tokensPerSecond } }: Weighed,
  outputTokens: number,
): number | null {
  if (firstTokenMs === null) return null;
  return firstTokenMs + (tokensPerSecond === null ? 0 : (outputTokens / tokensPerSecond) * 1_000);
}

function chance({ conversation, seed }: RouteQuestion, { provider, model, weight }: RouteCandidate): number {
  return drawByWeight(`${conversation ?? seed} ${provider}/${model}`, weight);
}

function largest(weighed: readonly Weighed[]): readonly Weighed[] {
  return stableBy(
    weighed.filter(({ facts }) => facts.cannot === null),
    ({ facts }) => -(facts.contextTokens ?? 0),
  );
}

function stableBy<Value>(values: readonly Value[], rank: (value: Value) => number): readonly Value[] {
  return values.toSorted((a, b) => compare(rank(a), rank(b)));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function toConsidered(model: Weighed, place: number | null): ConsideredModel {
  const { candidate, facts, health, why, maxCostMicroUsd } = model;
  return {
    provider: candidate.provider,
    model: candidate.model,
    place,
    why,
    maxCostMicroUsd,
    contextTokens: facts.contextTokens,
    firstTokenMs: health.firstTokenMs,
    tokensPerSecond: health.tokensPerSecond,
    circuit: health.circuit,
  };
}

function costText(cost: MicroUsd | null): string {
  return cost === null ? 'price unknown' : `at most ${formatUsd(cost)}`;
}
