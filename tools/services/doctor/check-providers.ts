/** Checks the routes, and the keys of their providers by their form only: no provider is called. */
import type { Config } from '../../../platform/config/load-config.ts';
import { modelsOf } from '../../../platform/config/route-schema.ts';
import { error, type Finding, ok, warning } from './finding.ts';

/** How a vendor's keys begin, by the name that it has in the config. */
const PREFIXES: Readonly<Record<string, RegExp>> = {
  openai: /^sk-(?!ant-)/,
  anthropic: /^sk-ant-/,
};
const LEAST_CHARS = 8;

type Checked = Pick<Config, 'routes' | 'providers' | 'providerKeys'>;

export function checkProviders(config: Checked): Finding[] {
  const routes = Object.entries(config.routes);
  if (config.routes['default'] === undefined) {
    const fix = 'Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or write routes.default into unbroken.config.yaml.';
    return [error('routes', 'no default route: no provider has a key', fix)];
  }
  const used = new Set(routes.flatMap(([, route]) => modelsOf(route).map(({ provider }) => provider)));
  return [
    ok('routes', routes.map(([name]) => name).join(', ')),
    ...[...used].map((name) => checkKeys(config, name)),
  ];
}

function checkKeys({ providers, providerKeys }: Checked, name: string): Finding {
  const check = `provider ${name}`;
  const keys = providerKeys[name] ?? [];
  const variables = [providers[name]?.apiKeyEnv, ...(providers[name]?.keys ?? []).map((key) => key.env)];
  const wanted = variables.filter((variable) => variable !== undefined).join(', ');
  if (keys.length === 0)
    return error(check, 'no key is set, and a route names it', `Set ${wanted || 'its apiKeyEnv'}.`);
  const malformed = keys.filter(({ secret }) => secret !== undefined && isMalformed(secret));
  if (malformed.length > 0) {
    const found = `${malformed.map(({ id }) => id).join(', ')}: quotes, white space or too short`;
    return error(check, found, 'Copy the key again, without quotes and line ends.');
  }
  const pattern = providers[name]?.baseUrl === undefined ? PREFIXES[name] : undefined;
  const odd = keys.filter(({ secret }) => secret !== undefined && pattern?.test(secret) === false);
  return odd.length > 0
    ? warning(
        check,
        `${odd.map(({ id }) => id).join(', ')}: does not look like a key of ${name}`,
        `Check ${wanted}.`,
      )
    : ok(check, keys.length === 1 ? 'one key' : `${keys.length} keys`);
}

function isMalformed(secret: string): boolean {
  return secret.length < LEAST_CHARS || /[\s"']/.test(secret);
}
