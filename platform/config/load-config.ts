/**
 * The only reader of `process.env` and of unbroken.config.yaml. The file overrides the defaults, and the environment
 * overrides the file. An error names the key and the fix.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import {
  type DeploymentSettings,
  deploymentEnvironment,
  deploymentSettings,
} from './deployment-environment.ts';
import { type EncryptionKey, encryptionKeysSchema } from './encryption-keys.ts';
import { explainIssues } from './explain-issues.ts';
import { gateScopeOf, type ProviderKey, providerKeysOf } from './gate-schema.ts';
import { type ProviderProxy, providerProxyOf, proxyProblem } from './proxy-environment.ts';
import { qdrantUrlSchema } from './qdrant-schema.ts';
import { type RedisPlace, redisPlaceOf, redisUrlsSchema } from './redis-schema.ts';
import { modelsOf, type Route, routeOf } from './route-schema.ts';
import { type ConfigFile, configSchema } from './schema.ts';
import {
  portSchema,
  type TelemetrySettings,
  telemetryEnvironment,
  telemetrySettings,
} from './telemetry-environment.ts';
import {
  type TemporalServer,
  temporalEnvironment,
  temporalProblem,
  temporalServer,
} from './temporal-environment.ts';
import { keyInPlaceOfName, shownName } from './variable-names.ts';
import { simulatedModels, simulatedVendors, VENDORS } from './vendors.ts';

/** Different characters of a key. Thirty-two random hex digits have at least ten almost surely. */
const LEAST_CHARACTERS = 10;

/** All variables that are read, besides those that the file names for keys and secrets. */
export const environmentSchema = z.object({
  UNBROKEN_CONFIG: z.string().optional(),
  UNBROKEN_HOST: z.string().default('127.0.0.1'),
  UNBROKEN_PORT: portSchema.default(8787),
  UNBROKEN_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  UNBROKEN_SIMULATOR_URL: z.url().optional(),
  UNBROKEN_DEV_KEY: z
    .string()
    .regex(
      /^[\x21-\x7e]{32,256}$/,
      'expected 32 to 256 printable characters; openssl rand -hex 32 makes them',
    )
    .refine(hasVariety, 'expected random characters; openssl rand -hex 32 makes them')
    .optional(),
  UNBROKEN_ENCRYPTION_KEYS: encryptionKeysSchema.default([]),
  UNBROKEN_DATA_DIR: z.string().default('.unbroken'),
  ...temporalEnvironment,
  TEMPORAL_UI_URL: z.url().optional(),
  ...deploymentEnvironment,
  UNBROKEN_TASK_QUEUE: z.string().default('unbroken'),
  REDIS_URL: redisUrlsSchema.optional(),
  QDRANT_URL: qdrantUrlSchema.default('http://127.0.0.1:6333'),
  QDRANT_API_KEY: z.string().optional(),
  ...telemetryEnvironment,
});

/**
 * The development key has every scope, and its hash is in Redis: a key that a person made up could be guessed from
 * it.
 */
function hasVariety(key: string): boolean {
  return new Set(key).size >= LEAST_CHARACTERS;
}

export interface Config extends ConfigFile {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly telemetry: TelemetrySettings;
  readonly dataDir: string;
  /** A key that the API registers at its start; `npm start` generates it. */
  readonly devKey: string | undefined;
  /** Encrypt the payloads in Temporal; empty: no encryption. Never logged. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly temporal: TemporalServer & {
    readonly namespace: string;
    readonly taskQueue: string;
    readonly uiUrl: string | undefined;
    readonly deployment: DeploymentSettings;
  };
  readonly redisPlace: RedisPlace;
  readonly qdrant: ConfigFile['qdrant'] & { url: string; apiKey: string | undefined };
  /** The secret that `budgets.webhook.secretEnv` names. Never logged. */
  readonly budgetWebhookSecret: string | undefined;
  /** Keys by provider name, with their limits; an empty list if the environment has none. Never logged. */
  readonly providerKeys: Readonly<Record<string, readonly ProviderKey[]>>;
  /** The name under which each provider's gate is shared. */
  readonly gateScopes: Readonly<Record<string, string>>;
  /** The proxy through which providers are reached. Never logged: it may have a password. */
  readonly providerProxy: ProviderProxy | null;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A shorter secret could be guessed and signatures forged. */
const SECRET_CHARS = 24;
/**
 * Simple tasks go to a small cheap model, code and complex tasks to a strong one; each is the fallback of the other.
 */
const SMALL = 'openai/gpt-4o-mini';
const STRONG = 'anthropic/claude-sonnet-4-5';
const SIMULATED = ['simulated/sim-large', 'simulated-messages/sim-large'];

/** A local server elsewhere in the network loads its models as slowly. */
function withVendorPatience(providers: ConfigFile['providers']): ConfigFile['providers'] {
  return Object.fromEntries(
    Object.entries(providers).map(([name, provider]) => {
      const firstTokenMs = provider.firstTokenMs ?? VENDORS[name]?.firstTokenMs;
      return [name, { ...provider, firstTokenMs }];
    }),
  );
}

export function loadConfig(environment: Environment = process.env): Config {
  const env = check(environmentSchema, withoutEmpty(environment), 'the environment');
  const problem = temporalProblem(env) ?? proxyProblem(environment);
  if (problem !== undefined) throw new ConfigError(problem);
  const file = check(configSchema, readConfigFile(env.UNBROKEN_CONFIG), 'unbroken.config.yaml');
  checkVariableNames(file.providers, environment);
  const simulator = env.UNBROKEN_SIMULATOR_URL;
  const providers: ConfigFile['providers'] = {
    ...VENDORS,
    ...(simulator === undefined ? {} : simulatedVendors(simulator)),
    ...withVendorPatience(file.providers),
  };
  const providerKeys = Object.fromEntries(
    Object.entries(providers).map(([name, provider]) => [name, providerKeysOf(provider, environment)]),
  );
  checkKeys(providers, providerKeys);
  const isUsable = (candidate: string) => providerKeys[candidate.split('/')[0] ?? '']?.[0] !== undefined;
  const builtIn = builtInRoute(isUsable, simulator !== undefined);
  const routes = { ...(builtIn === null ? {} : { default: builtIn }), ...file.routes };
  checkRoutes(routes, providers);
  checkNamedRoutes(file, routes);
  checkNamedModels(file, providers);
  checkArchive(file);
  const simulated = simulator === undefined ? { prices: {}, models: {} } : simulatedModels(simulator);
  return {
    ...file,
    providers,
    prices: { ...simulated.prices, ...file.prices },
    models: { ...simulated.models, ...file.models },
    routes,
    host: env.UNBROKEN_HOST,
    port: env.UNBROKEN_PORT,
    logLevel: env.UNBROKEN_LOG_LEVEL,
    telemetry: telemetrySettings(env),
    dataDir: resolve(env.UNBROKEN_DATA_DIR),
    devKey: env.UNBROKEN_DEV_KEY,
    encryptionKeys: env.UNBROKEN_ENCRYPTION_KEYS,
    temporal: {
      ...temporalServer(env),
      namespace: env.TEMPORAL_NAMESPACE,
      taskQueue: env.UNBROKEN_TASK_QUEUE,
      uiUrl: env.TEMPORAL_UI_URL,
      deployment: deploymentSettings(env),
    },
    redisPlace: redisPlaceOf(env.REDIS_URL, file.redis, passwordFrom(environment)),
    qdrant: { ...file.qdrant, url: env.QDRANT_URL, apiKey: env.QDRANT_API_KEY },
    budgetWebhookSecret: readWebhookSecret(file.budgets, environment),
    providerKeys,
    providerProxy: providerProxyOf(environment),
    gateScopes: Object.fromEntries(
      Object.entries(providers).map(([name, { baseUrl }]) => [name, gateScopeOf(name, baseUrl)]),
    ),
  };
}

function readWebhookSecret({ webhook }: ConfigFile['budgets'], environment: Environment): string | undefined {
  if (webhook === undefined) return undefined;
  const secret = environment[webhook.secretEnv];
  if (secret !== undefined && secret.length >= SECRET_CHARS) return secret;
  throw new ConfigError(
    `budgets.webhook.secretEnv names ${shownName(webhook.secretEnv)}; set that variable to a secret of at least ${SECRET_CHARS} characters.`,
  );
}

function passwordFrom(environment: Environment) {
  return (key: string, variable: string | undefined): string | undefined => {
    if (variable === undefined) return undefined;
    const password = environment[variable];
    if (password) return password;
    throw new ConfigError(`${key} names ${shownName(variable)}; set that variable to the password of Redis.`);
  };
}

function builtInRoute(isUsable: (candidate: string) => boolean, isSimulated: boolean): Route | null {
  const usable = [SMALL, STRONG].filter(isUsable);
  if (usable.length === 2) return routeOf(usable, { simple: [SMALL], complex: [STRONG], code: [STRONG] });
  if (usable.length === 1) return routeOf(usable);
  return isSimulated ? routeOf(SIMULATED) : null;
}

function checkVariableNames(providers: ConfigFile['providers'], environment: Environment): void {
  const setting = keyInPlaceOfName(providers, environment);
  if (setting === undefined) return;
  throw new ConfigError(
    `${setting} holds a key. Set an environment variable to it, write the name of that variable here, and replace the ` +
      'key: it has stood in a file.',
  );
}

/** A call with such a key would fail before it is sent, as if the provider could not be reached. */
function checkKeys(providers: ConfigFile['providers'], providerKeys: Config['providerKeys']): void {
  for (const [name, keys] of Object.entries(providerKeys)) {
    // What a package makes of its key is not known.
    if (providers[name]?.wire === 'ai-sdk') continue;
    const bad = keys.find(({ secret = '' }) => /[^\t\x20-\x7e]/.test(secret.trim()));
    if (bad === undefined) continue;
    throw new ConfigError(
      `${bad.id.split('#')[0]} holds a character that no header of a request can carry, such as a typographic quote or a ` +
        'line break. Copy the key again.',
    );
  }
}

function checkRoutes(routes: Readonly<Record<string, Route>>, providers: ConfigFile['providers']): void {
  for (const [name, route] of Object.entries(routes)) {
    for (const { provider, model } of modelsOf(route)) {
      // Own properties only: `constructor` is not a provider.
      if (!Object.hasOwn(providers, provider)) {
        throw new ConfigError(
          `routes.${name}: "${provider}/${model}" names the provider "${provider}", which is not under providers. ` +
            `Add it there, or use one of: ${Object.keys(providers).join(', ')}.`,
        );
      }
    }
  }
}

function checkNamedRoutes(file: ConfigFile, routes: ConfigFile['routes']): void {
  const { output, compression, cache, promptCaching } = file;
  for (const [section, { routes: named }] of Object.entries({ output, compression, cache, promptCaching })) {
    for (const route of Object.keys(named)) {
      if (Object.hasOwn(routes, route)) continue;
      throw new ConfigError(
        `${section}.routes.${route}: there is no such route. Known: ${Object.keys(routes).join(', ')}.`,
      );
    }
  }
}

/** A price that no model has would be missed nowhere: the model seems to cost nothing. */
function checkNamedModels({ prices, models }: ConfigFile, providers: ConfigFile['providers']): void {
  for (const [section, named] of Object.entries({ prices, models })) {
    for (const model of Object.keys(named)) {
      const [provider = ''] = model.split('/');
      if (model.includes('/') && Object.hasOwn(providers, provider)) continue;
      throw new ConfigError(
        `${section}.${model}: expected provider/model, such as openai/gpt-4o-mini, with one of the providers: ` +
          `${Object.keys(providers).join(', ')}.`,
      );
    }
  }
}

function checkArchive({ archive, objectStore, retention }: ConfigFile): void {
  if (archive === undefined) return;
  if (objectStore === undefined) {
    throw new ConfigError(
      'archive: objectStore is absent. Add it: a folder (objectStore.folder), or a bucket (objectStore.s3).',
    );
  }
  if (archive.afterMs >= retention.logMs) {
    throw new ConfigError(
      `archive.afterMs: expected less than retention.logMs (${retention.logMs}), after which a log is deleted.`,
    );
  }
}

function readConfigFile(named: string | undefined): unknown {
  const path = resolve(named ?? 'unbroken.config.yaml');
  if (!existsSync(path)) {
    if (named === undefined) return {};
    throw new ConfigError(`UNBROKEN_CONFIG names ${path}, which does not exist. Correct or unset it.`);
  }
  const text = readText(path);
  try {
    // YAML 1.2 has no merge keys (`<<`), but who writes similar providers uses them.
    return parseYaml(text, { merge: true }) ?? {};
  } catch (error) {
    throw new ConfigError(`${path} is not valid YAML: ${error instanceof Error ? error.message : error}`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    throw new ConfigError(`${path} cannot be read: ${why}. Correct UNBROKEN_CONFIG, or the file's rights.`);
  }
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = explainIssues(parsed.error.issues);
  throw new ConfigError(`Correct ${where}:\n${lines.map((line) => `  ${line}`).join('\n')}`);
}

function withoutEmpty(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([key, value]) => (value ? [[key, value] as const] : [])),
  );
}
