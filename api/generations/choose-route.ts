/** Chooses the models for a request, their order and the reasons: applies the route to what this process knows. */
import { candidateName, parseCandidate } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate, GenerationInput, GenerationRequest } from '../../contracts/generation.ts';
import type { ModelPrice } from '../../contracts/model.ts';
import { roughInputTokens } from '../../contracts/tokens.ts';
import { CalledModels } from '../../engine/models/called-model.ts';
import { pricePerMillion } from '../../engine/models/catalogue.ts';
import { foreignFields } from '../../engine/models/native-fields.ts';
import { findInputRefusal } from '../../engine/models/refuse-input.ts';
import type { RuledCall } from '../../engine/models/rules/rule.ts';
import { fitInput } from '../../engine/models/rules/vendor-rules.ts';
import { type ClassifiedTask, classifyTask } from '../../engine/routing/classify-task.ts';
import { decideRoute, type RouteDecision } from '../../engine/routing/decide-route.ts';
import type { HealthSnapshot } from '../../engine/routing/health-snapshot.ts';
import type { CandidateFacts } from '../../engine/routing/route-facts.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { type Route, routeOf } from '../../platform/config/route-schema.ts';
import { promptCacheKeyOf } from './prompt-cache-key.ts';

/** Bounded because callers may name any model. */
const MAX_CACHED_MODELS = 10_000;
/** Of the models of a route, in an error. */
const MOST_REASONS = 3;

export interface RouteChoice extends RouteDecision {
  readonly routeName: string;
  /** The key of the conversation for the vendors' prompt caches; absent if they would not cache it. */
  readonly promptCacheKey?: string;
  /** An upper bound, estimated from characters, which costs no time. */
  readonly inputTokens: number;
}

export interface Asker {
  readonly tenant: string;
  /** The id of the generation, so that a repeated request gets the same choice. */
  readonly seed: string;
}

type ChooserConfig = Pick<Config, 'providers' | 'routes' | 'prices' | 'models'>;

export class RouteChooser {
  readonly #config: ChooserConfig;
  readonly #health: HealthSnapshot;
  readonly #models: CalledModels;
  /** A look-up in the catalogue takes too long for every request. */
  readonly #prices = new BoundedMap<string, { readonly price: ModelPrice | null }>(MAX_CACHED_MODELS);

  constructor(config: ChooserConfig, health: HealthSnapshot) {
    this.#config = config;
    this.#health = health;
    this.#models = new CalledModels(config);
  }

  /** Decides without I/O. @throws model_not_found, unsupported_by_model */
  choose(
    request: Pick<GenerationRequest, 'route' | 'model' | 'task'>,
    input: GenerationInput,
    { tenant, seed }: Asker,
  ): RouteChoice {
    const routeName = request.route ?? 'default';
    const route = routeFor(this.#config, request, routeName);
    const task = taskOf(route, request, input);
    const { maxOutputTokens } = input;
    const inputTokens = roughInputTokens(input);
    const conversation = promptCacheKeyOf(tenant, input, inputTokens);
    const question = { route, task, inputTokens, maxOutputTokens, seed, conversation, nowMs: Date.now() };
    const decision = decideRoute(question, {
      healthOf: (candidate) => this.#health.healthOf(candidate, tenant),
      factsOf: (candidate) => this.#factsFor(candidate, input),
    });
    if (decision.candidates.length === 0) {
      throw this.#noneFor(input, decision.considered);
    }
    const key = conversation === undefined ? {} : { promptCacheKey: conversation };
    return { ...decision, routeName, inputTokens, ...key };
  }

  /** Why each is out, in its own words. */
  #noneFor(input: GenerationInput, considered: RouteDecision['considered']): UnbrokenError {
    const refusals = considered.map((model) => this.#refusalOf(model, input));
    const reasons = considered.map(
      (model, index) => refusals[index]?.message ?? `${candidateName(model)}: ${model.why}.`,
    );
    const named = reasons.slice(0, MOST_REASONS).join(' ');
    const param = refusals[0]?.details?.['param'];
    return new UnbrokenError(
      'unsupported_by_model',
      reasons.length === 1 ? named : `No model of the route can answer. ${named}`,
      param === undefined ? {} : { details: { param } },
    );
  }

  /** The fields that a model does not get, because it has no place for them or its vendor's rules exclude them. */
  droppedBy(candidate: Candidate, input: GenerationInput): readonly string[] {
    const called = this.#models.find(candidate, input);
    if (called === null) return [];
    const { dropped } = foreignFields(input, called.config.wire, candidate.provider);
    const untruncated = isTruncated(input, called) ? [] : ['truncation'];
    return [...new Set([...dropped, ...untruncated, ...fitInput(called).dropped])];
  }

  #factsFor(candidate: Candidate, input: GenerationInput): CandidateFacts {
    const { provider, model } = candidate;
    const { price } = this.#prices.getOrCreate(candidateName(candidate), () => ({
      price: pricePerMillion(this.#config, provider, model),
    }));
    return {
      contextTokens: this.#models.factsOf(provider, model).contextWindow,
      cannot: this.#refusalOf(candidate, input)?.message ?? null,
      costMicroUsd: (tokensIn, tokensOut) =>
        price === null ? null : Math.ceil((tokensIn * price.input + tokensOut * price.output) / 1_000_000),
    };
  }

  #refusalOf(candidate: Candidate, input: GenerationInput): UnbrokenError | null {
    const called = this.#models.find(candidate, input);
    return called === null ? null : findInputRefusal(called);
  }
}

/** Whether the input is shortened as it asks: here where the window is known, else by a vendor that can. */
function isTruncated({ native }: GenerationInput, { facts, config: { wire } }: RuledCall): boolean {
  const isAsked = native?.format === 'openai-responses' && native.fields['truncation'] === 'auto';
  return !isAsked || facts.contextWindow !== null || wire === 'openai-responses';
}

/** A model that the caller names is a route with this model alone, with the settings of the route that it names. */
function routeFor(
  config: ChooserConfig,
  request: Pick<GenerationRequest, 'route' | 'model'>,
  routeName: string,
): Route {
  const route = Object.hasOwn(config.routes, routeName) ? config.routes[routeName] : undefined;
  if (request.model === undefined) {
    if (route !== undefined) return route;
    const names = Object.keys(config.routes).join(', ') || 'none';
    throw new UnbrokenError(
      'model_not_found',
      `The route "${routeName}" has no candidates here; the routes are: ${names}.`,
    );
  }
  const candidate = parseCandidate(request.model);
  if (candidate === null || !Object.hasOwn(config.providers, candidate.provider)) {
    const providers = Object.keys(config.providers).join(', ');
    throw new UnbrokenError(
      'model_not_found',
      `model: expected provider/model; the providers are ${providers}.`,
    );
  }
  const settings = request.route === undefined ? undefined : route;
  // The caller gets the model that it names, or an error: the stored answer of another one may not stand in.
  const alone = { candidates: [{ ...candidate, weight: 1 }], tasks: {}, cachedAnswer: false };
  return { ...(settings ?? PLAIN_ROUTE), ...alone };
}

const PLAIN_ROUTE = routeOf(['any/model']);

function taskOf(
  route: Route,
  request: Pick<GenerationRequest, 'task'>,
  input: GenerationInput,
): ClassifiedTask | null {
  if (request.task !== undefined)
    return { task: request.task, source: 'caller', because: 'the caller says so' };
  return Object.keys(route.tasks).length === 0 ? null : classifyTask(input.messages);
}
