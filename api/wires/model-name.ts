/** What a `model` of another vendor's API means here: `provider/model`, a route, or a name that fits one provider. */

import { UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate } from '../../contracts/generation.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { modelsOf } from '../../platform/config/route-schema.ts';

/** Unmodified clients name vendors' models bare; where no route lists one, its vendor is taken. */
const VENDORS: readonly (readonly [RegExp, string])[] = [
  [/^(gpt-|chatgpt-|o\d)/, 'openai'],
  [/^claude-/, 'anthropic'],
];

const OUR_PREFIX = 'unbroken';

export type Target = { readonly model: string } | { readonly route: string };

export function resolveModel(config: Config, name: string): Target {
  const slash = name.indexOf('/');
  const prefix = slash < 0 ? name : name.slice(0, slash);
  if (prefix === OUR_PREFIX) return knownRoute(config, slash < 0 ? 'default' : name.slice(slash + 1), name);
  if (slash > 0 && Object.hasOwn(config.providers, prefix)) return { model: name };
  if (Object.hasOwn(config.routes, name)) return { route: name };
  const listed = new Set(
    candidatesOf(config)
      .filter(({ model }) => model === name)
      .map(({ provider }) => provider),
  );
  const [only, ...others] = listed;
  if (only !== undefined && others.length === 0) return { model: `${only}/${name}` };
  if (only !== undefined) {
    const choices = [...listed].map((provider) => `${provider}/${name}`).join(' or ');
    throw new UnbrokenError('model_not_found', `model: "${name}" is at several providers; use ${choices}.`);
  }
  const vendor = VENDORS.find(([pattern]) => pattern.test(name))?.[1];
  if (vendor !== undefined && config.providerKeys[vendor]?.[0] !== undefined)
    return { model: `${vendor}/${name}` };
  throw notFound(config, name);
}

function knownRoute(config: Config, route: string, name: string): Target {
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
    `model: "${name}" is not known here; use ${[...routes, ...providers].join(', ')}.`,
    { details: { param: 'model' } },
  );
}
