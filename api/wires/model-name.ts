/** Resolves the `model` of another vendor's API: `provider/model`, a route, or a bare name that fits one provider. */
import { candidateName, OUR_PREFIX } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate } from '../../contracts/generation.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { modelsOf } from '../../platform/config/route-schema.ts';

/** Unmodified clients send bare model names. One that no route lists goes to its vendor. */
const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|chatgpt-|o\d)/, 'openai'],
  [/^claude-/, 'anthropic'],
];

type Target = { readonly model: string } | { readonly route: string };

export function resolveModel(config: Config, name: string): Target {
  const slash = name.indexOf('/');
  const prefix = slash < 0 ? name : name.slice(0, slash);
  if (prefix === OUR_PREFIX) return requireRoute(config, slash < 0 ? 'default' : name.slice(slash + 1), name);
  if (slash > 0 && Object.hasOwn(config.providers, prefix)) return { model: name };
  if (Object.hasOwn(config.routes, name)) return { route: name };
  const listed = candidatesOf(config).filter(({ model }) => model === name);
  const [first, ...others] = new Set(listed.map(candidateName));
  if (first !== undefined && others.length === 0) return { model: first };
  if (first !== undefined) {
    const choices = [first, ...others].join(' or ');
    throw new UnbrokenError('model_not_found', `model: several providers have "${name}"; use ${choices}.`);
  }
  const vendor = VENDORS.find(([pattern]) => pattern.test(name))?.[1];
  if (vendor !== undefined && config.providerKeys[vendor]?.[0] !== undefined)
    return { model: candidateName({ provider: vendor, model: name }) };
  throw notFound(config, name);
}

function requireRoute(config: Config, route: string, name: string): Target {
  if (Object.hasOwn(config.routes, route)) return { route };
  throw notFound(config, name);
}

/** Every candidate of every route. */
function candidatesOf({ routes }: Config): readonly Candidate[] {
  return Object.values(routes).flatMap(modelsOf);
}

function notFound(config: Config, name: string): UnbrokenError {
  const routes = Object.keys(config.routes).map((route) => `${OUR_PREFIX}/${route}`);
  const providers = Object.keys(config.providers).map((provider) => `${provider}/<model>`);
  return new UnbrokenError(
    'model_not_found',
    `model: "${name}" is unknown; use ${[...routes, ...providers].join(', ')}.`,
    { details: { param: 'model' } },
  );
}
