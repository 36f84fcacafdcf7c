/** The routes of the config as a list of models shows them: a client that picks one gets the models of the route. */
import { candidateName, OUR_PREFIX } from '../../contracts/candidate.ts';
import type { ModelCapabilities, ModelView } from '../../contracts/model.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { modelsOf } from '../../platform/config/route-schema.ts';
import { describeModel, listModels } from './catalogue.ts';

type RoutesConfig = Parameters<typeof listModels>[0];

/** All that `model` of a request may name: first `unbroken`, the default route, then the other routes, then models. */
export function listNames(config: RoutesConfig): readonly ModelView[] {
  const isDefault = (route: string) => route === DEFAULT_ROUTE;
  const routes = Object.keys(config.routes).toSorted(
    (a, b) => Number(isDefault(b)) - Number(isDefault(a)) || (a < b ? -1 : 1),
  );
  const names = routes.flatMap((route) => {
    const full = describeRoute(config, route);
    return isDefault(route) ? [{ ...full, id: OUR_PREFIX }, full] : [full];
  });
  return [...names, ...listModels(config)];
}

const DEFAULT_ROUTE = 'default';
const ON_THIS_MACHINE = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/;

/**
 * The names that can be used. A server on this machine needs no key, so only the config says that it runs, and which of
 * the models that are known for it are loaded.
 */
export function usableNames(config: RoutesConfig, names: readonly ModelView[]): readonly ModelView[] {
  const named = new Set([
    ...Object.keys(config.models),
    ...Object.values(config.routes).flatMap(modelsOf).map(candidateName),
  ]);
  return names.filter(({ id, owned_by: owner, available, simulated }) => {
    const isLocal = ON_THIS_MACHINE.test(config.providers[owner]?.baseUrl ?? '');
    return available && (simulated || !isLocal || named.has(id));
  });
}

/** What every model of the route has: any of them may answer. It can be used if one of them can. */
export function describeRoute(config: Pick<Config, keyof RoutesConfig>, route: string): ModelView {
  const settings = config.routes[route];
  const models = (settings === undefined ? [] : modelsOf(settings)).map(({ provider, model }) =>
    describeModel(config, provider, model),
  );
  const usable = models.filter(({ available }) => available);
  const chosen = usable.length > 0 ? usable : models;
  return {
    id: `${OUR_PREFIX}/${route}`,
    object: 'model',
    owned_by: OUR_PREFIX,
    created: Math.max(0, ...chosen.map(({ created }) => created)),
    name: `${OUR_PREFIX}/${route}`,
    available: usable.length > 0,
    simulated: chosen.length > 0 && chosen.every(({ simulated }) => simulated),
    contextWindow: leastOf(chosen.map(({ contextWindow }) => contextWindow)),
    maxOutputTokens: leastOf(chosen.map(({ maxOutputTokens }) => maxOutputTokens)),
    capabilities: sharedCapabilities(chosen.map(({ capabilities }) => capabilities)),
    priceMicroUsdPerMillion: null,
  };
}

/** @returns null if one of them is not known. */
function leastOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 || known.length < values.length ? null : Math.min(...known);
}

function sharedCapabilities(all: readonly ModelCapabilities[]): ModelCapabilities {
  const shared = (name: keyof ModelCapabilities): boolean | null => {
    const values = new Set(all.map((capabilities) => capabilities[name]));
    const [only = null] = values;
    return values.size === 1 ? only : values.has(false) ? false : null;
  };
  return {
    tools: shared('tools'),
    vision: shared('vision'),
    jsonSchema: shared('jsonSchema'),
    reasoning: shared('reasoning'),
    sampling: shared('sampling'),
    stop: shared('stop'),
    prefill: shared('prefill') ?? false,
    reattach: shared('reattach') ?? false,
    instruct: shared('instruct') ?? false,
  };
}
