/** Which models may answer a request, in which order, and why: the route over what is known here and now. */

import { UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate, GenerationInput, GenerationRequest } from '../../contracts/generation.ts';
import type { ModelFacts, ModelPrice } from '../../contracts/model.ts';
import { roughInputTokens } from '../../contracts/tokens.ts';
import { factsOf, pricePerMillion } from '../../engine/models/catalogue.ts';
import { findInputRefusal } from '../../engine/models/refuse-input.ts';
import { type ClassifiedTask, classifyTask } from '../../engine/routing/classify-task.ts';
import { decideRoute, type RouteDecision } from '../../engine/routing/decide-route.ts';
import type { HealthSnapshot } from '../../engine/routing/health-snapshot.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { type Route, routeOf } from '../../platform/config/route-schema.ts';

/** Callers may name any model, so what is remembered of them has a limit. */
const REMEMBERED_MODELS = 10_000;

export interface RouteChoice extends RouteDecision {
  readonly routeName: string;
  /** At most; counted by characters, which takes no time. */
  readonly inputTokens: number;
}

export interface RouteChooser {
  /**
   * Waits for nobody. Throws `model_not_found`.
   */
  choose(
    request: Pick<GenerationRequest, 'route' | 'model' | 'task'>,
    input: GenerationInput,
    asker: Asker,
  ): RouteChoice;
}

export interface Asker {
  readonly tenant: string;
  /** The generation's id: asked again, the choice comes out the same. */
  readonly seed: string;
}

type ChooserConfig = Pick<Config, 'providers' | 'routes' | 'prices' | 'models'>;

interface KnownModel {
  readonly facts: ModelFacts;
  readonly price: ModelPrice | null;
}

export function createRouteChooser(config: ChooserConfig, health: HealthSnapshot): RouteChooser {
  const known = new Map<string, KnownModel>();
  // Finding out about a model takes longer than a request should be held up.
  const knownOf = ({ provider, model }: Candidate): KnownModel => {
    const name = `${provider}/${model}`;
    const found = known.get(name) ?? {
      facts: factsOf(config, provider, model),
      price: pricePerMillion(config, provider, model),
    };
    if (known.size >= REMEMBERED_MODELS) known.clear();
    known.set(name, found);
    return found;
  };

  return {
    choose(request, input, { tenant, seed }) {
      const routeName = request.route ?? 'default';
      const route = routeFor(config, request, routeName);
      const task = taskOf(route, request, input);
      const { maxOutputTokens } = input;
      const inputTokens = roughInputTokens(input);
      const question = { route, task, inputTokens, maxOutputTokens, seed, nowMs: Date.now() };
      const decision = decideRoute(question, {
        healthOf: (candidate) => health.healthOf(candidate, tenant),
        factsOf: (candidate) => {
          const { facts, price } = knownOf(candidate);
          const name = `${candidate.provider}/${candidate.model}`;
          return {
            contextTokens: facts.contextWindow,
            cannot: findInputRefusal(name, facts, input)?.message ?? null,
            costMicroUsd: (tokensIn, tokensOut) =>
              price === null
                ? null
                : Math.ceil((tokensIn * price.input + tokensOut * price.output) / 1_000_000),
          };
        },
      });
      if (decision.candidates.length === 0) {
        const [one] = decision.considered;
        throw new UnbrokenError('unsupported_by_model', `No model of the route can answer: ${one?.why}.`);
      }
      return { ...decision, routeName, inputTokens };
    },
  };
}

/** A model that the caller names is a route of this one model, with the settings of the route that it names. */
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
  const slash = request.model.indexOf('/');
  const provider = request.model.slice(0, slash);
  if (slash < 1 || slash === request.model.length - 1 || !Object.hasOwn(config.providers, provider)) {
    const known = Object.keys(config.providers).join(', ');
    throw new UnbrokenError('model_not_found', `model: expected provider/model; the providers are ${known}.`);
  }
  const only = { provider, model: request.model.slice(slash + 1), weight: 1 };
  const settings = request.route === undefined ? undefined : route;
  return { ...(settings ?? PLAIN_ROUTE), candidates: [only], tasks: {} };
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
