/**
 * The config names the variables that hold keys and secrets. Who writes the key itself there must learn of it, and no
 * error, log or doctor may then show it.
 */
import { redact } from '../../contracts/redact.ts';
import type { ConfigFile } from './schema.ts';

const USUAL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Shorter ones may be names in lower case that begin as a key does. */
const KEY_CHARS = 20;

type Environment = Readonly<Record<string, string | undefined>>;

/** The setting of a provider that holds a key; undefined if none does. */
export function keyInPlaceOfName(
  providers: ConfigFile['providers'],
  environment: Environment,
): string | undefined {
  const named = Object.entries(providers).flatMap(([provider, { apiKeyEnv = '', keys = [] }]) => [
    [`providers.${provider}.apiKeyEnv`, apiKeyEnv] as const,
    ...keys.map(({ env }, index) => [`providers.${provider}.keys[${index}].env`, env] as const),
  ]);
  return named.find(([, name]) => !environment[name] && isKey(name))?.[0];
}

/** The name of a variable that is not set, for an error. */
export function shownName(name: string): string {
  return USUAL_NAME.test(name) && !isKey(name) ? name : 'a variable with an unusual name (not shown)';
}

function isKey(name: string): boolean {
  return name.length >= KEY_CHARS && /\d/.test(name) && redact(name, []) !== name;
}
