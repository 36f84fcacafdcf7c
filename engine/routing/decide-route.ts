/**
 * Which models may answer, in which order, and why. Pure: the same question over the same facts gives the same
 * decision. It is made once, when a generation is submitted, and travels with it.
 */
import { createHash } from 'node:crypto';
import type { Candidate, RoutingPlan } from '../../contracts/generation.ts';
import { formatUsd, type MicroUsd } from '../../contracts/money.ts';
import type { CircuitState } from '../../contracts/routing.ts';
import type { Route, RouteCandidate } from '../../platform/config/route-schema.ts';
import type { FoundTask } from './classify-task.ts';
import type { CandidateFacts, ModelHealth } from './route-facts.ts';

/** Output that an answer is taken to have where models are compared by speed. */
const USUAL_OUTPUT_TOKENS = 400;

export interface RouteQuestion {
  readonly route: Route;
  /** null where the route has no models for tasks. */
  readonly task: FoundTask | null;
  /** At most, as `boundInputTokens` counts. */
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** The generation's id: asked again, a weighted choice comes out the same. */
  readonly seed: string;
  readonly nowMs: number;
}

export interface RouteKnowledge {
  readonly factsOf: (candidate: Candidate) => CandidateFacts;
  readonly healthOf: (candidate: Candidate) => ModelHealth;
}

/** One model of the route, as `POST /v1/routes/explain` shows it. */
export interface ConsideredModel extends Candidate {
  /** 1 is asked first; null: not asked. */
  readonly place: number | null;
  readonly why: string;
  /** The most that this generation can cost here; null where no price is known. */
  readonly maxCostMicroUsd: MicroUsd | null;
  readonly contextTokens: number | null;
  readonly firstTokenMs: number | null;
  readonly tokensPerSecond: number | null;
  readonly circuit: CircuitState;
}

export interface RouteDecision {
  readonly task: FoundTask | null;
  readonly considered: readonly ConsideredModel[];
  readonly candidates: readonly Candidate[];
  readonly plan: RoutingPlan;
}

/** `last`: it may have to wait for its turn at the end. `out`: it could not answer. */
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
  const others = route.candidates.filter((one) => !forTask.some((other) => isSame(one, other)));
  const weighed = [
    ...arrange(
      question,
      forTask.map((one) => weigh(question, knowledge, one, true)),
    ),
    ...arrange(
      question,
      others.map((one) => weigh(question, knowledge, one, false)),
    ),
  ];
  const able = weighed.filter(({ standing }) => standing !== 'out');
  // Our count of tokens is an upper bound: where no window seems large enough, the provider has the word.
  const asked =
    able.length > 0 ? stableBy(able, ({ standing }) => (standing === 'ready' ? 0 : 1)) : largest(weighed);
  const unasked = weighed.filter((one) => !asked.includes(one));
  const considered = [
    ...asked.map((one, index) => toConsidered(one, index + 1)),
    ...unasked.map((one) => toConsidered(one, null)),
  ];
  return {
    task,
    considered,
    candidates: asked.map(({ candidate: { provider, model } }) => ({ provider, model })),
    plan: planOf(question, knowledge, asked, considered),
  };
}

function planOf(
  { route, task }: RouteQuestion,
  { factsOf }: RouteKnowledge,
  asked: readonly Weighed[],
  considered: readonly ConsideredModel[],
): RoutingPlan {
  const { onContentPolicy, whenFull, maxWaitMs, cachedAnswer } = route;
  return {
    task: task?.task ?? null,
    reasons: [
      ...(task === null ? [] : [`task ${task.task}: ${task.because}`]),
      ...considered.map(
        (one) => `${one.provider}/${one.model}: ${one.why}, ${costText(one.maxCostMicroUsd)}`,
      ),
    ],
    contextTokens: asked.map(({ facts }) => facts.contextTokens),
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
  candidate: RouteCandidate,
  isForTask: boolean,
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
  const isTried = health.circuit === 'open' && (health.retryAtMs ?? 0) <= nowMs;
  if (health.circuit !== 'closed' && !isTried) {
    return { ...known, standing: 'last', why: `circuit ${health.circuit}: it failed too often just now` };
  }
  const why = isForTask ? `for ${task?.task} tasks` : task === null ? 'of the route' : 'stands in';
  return { ...known, standing: 'ready', why };
}

function arrange(question: RouteQuestion, models: readonly Weighed[]): readonly Weighed[] {
  switch (question.route.order) {
    case 'listed':
      return models.map(saying(() => 'as listed'));
    case 'weighted':
      return stableBy(models, (one) => -chance(question.seed, one.candidate)).map(saying(() => 'by weight'));
    case 'cost':
      return stableBy(models, ({ maxCostMicroUsd }) => maxCostMicroUsd ?? Number.POSITIVE_INFINITY).map(
        saying(() => 'by cost'),
      );
    case 'latency': {
      const output = Math.min(USUAL_OUTPUT_TOKENS, question.maxOutputTokens);
      const known = models.flatMap((one) => usualMs(one, output) ?? []);
      // A model that nobody has measured lately stands in the middle, so that it is measured again.
      const middle = known.reduce((sum, ms) => sum + ms, 0) / Math.max(1, known.length);
      const said = (one: Weighed) => {
        const ms = usualMs(one, output);
        return ms === null ? 'by latency, not measured lately' : `by latency, about ${Math.round(ms)} ms`;
      };
      return stableBy(models, (one) => usualMs(one, output) ?? middle).map(saying(said));
    }
  }
}

function saying(said: (one: Weighed) => string) {
  return (one: Weighed): Weighed => ({ ...one, why: `${one.why}, ${said(one)}` });
}

function usualMs(
  { health: { firstTokenMs, tokensPerSecond } }: Weighed,
  outputTokens: number,
): number | null {
  if (firstTokenMs === null) return null;
  return firstTokenMs + (tokensPerSecond === null ? 0 : (outputTokens / tokensPerSecond) * 1_000);
}

/** Efraimidis and Spirakis, 2006: the largest of u^(1/weight) first is a draw by weight without replacement. */
function chance(seed: string, { provider, model, weight }: RouteCandidate): number {
  const digest = createHash('sha256').update(`${seed} ${provider}/${model}`).digest();
  return ((digest.readUInt32LE(0) + 1) / 2 ** 32) ** (1 / weight);
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

function isSame(a: Candidate, b: Candidate): boolean {
  return a.provider === b.provider && a.model === b.model;
}

function toConsidered(one: Weighed, place: number | null): ConsideredModel {
  const { candidate, facts, health, why, maxCostMicroUsd } = one;
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
