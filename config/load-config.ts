/**
 * The only reader of `process.env` and of unbroken.config.yaml. Defaults, then the file, then the environment.
 * An error names the key and the fix.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { Candidate } from '../contracts/generation.ts';
import { type ConfigFile, configSchema } from './schema.ts';

const environmentSchema = z.object({
  UNBROKEN_CONFIG: z.string().optional(),
  UNBROKEN_HOST: z.string().default('127.0.0.1'),
  UNBROKEN_PORT: z.coerce.number().int().min(0).max(65_535).default(8787),
  UNBROKEN_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  UNBROKEN_SIMULATOR_URL: z.url().optional(),
  UNBROKEN_DEV_KEY: z.string().min(16).max(256).optional(),
  UNBROKEN_DATA_DIR: z.string().default('.unbroken'),
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: z.url().optional(),
  UNBROKEN_TASK_QUEUE: z.string().default('unbroken'),
  REDIS_URL: z.url().default('redis://127.0.0.1:6379'),
  QDRANT_URL: z.url().default('http://127.0.0.1:6333'),
  QDRANT_API_KEY: z.string().optional(),
});

export interface Config extends ConfigFile {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly dataDir: string;
  /** A key that the API makes known at its start; `npm start` generates it. */
  readonly devKey: string | undefined;
  readonly temporal: { address: string; namespace: string; taskQueue: string; uiUrl: string | undefined };
  readonly redisUrl: string;
  readonly qdrant: { url: string; apiKey: string | undefined };
  /** Keys by provider name, read from the variables that `apiKeyEnv` names. Never logged. */
  readonly apiKeys: Readonly<Record<string, string>>;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Environment = Readonly<Record<string, string | undefined>>;

const BUILT_IN_PROVIDERS: ConfigFile['providers'] = {
  openai: { wire: 'openai-responses', apiKeyEnv: 'OPENAI_API_KEY' },
  anthropic: { wire: 'anthropic-messages', apiKeyEnv: 'ANTHROPIC_API_KEY' },
};

const BUILT_IN_ROUTE: readonly Candidate[] = [
  { provider: 'openai', model: 'gpt-4o-mini' },
  { provider: 'anthropic', model: 'claude-sonnet-4-5' },
];

const SIMULATED_ROUTE: readonly Candidate[] = [
  { provider: 'simulated', model: 'sim-large' },
  { provider: 'simulated-messages', model: 'sim-large' },
];

export function loadConfig(environment: Environment = process.env): Config {
  const env = check(environmentSchema, withoutEmpty(environment), 'the environment');
  const file = check(configSchema, readConfigFile(env.UNBROKEN_CONFIG), 'unbroken.config.yaml');
  const providers: ConfigFile['providers'] = { ...BUILT_IN_PROVIDERS, ...file.providers };
  if (env.UNBROKEN_SIMULATOR_URL !== undefined) {
    providers['simulated'] ??= { wire: 'openai-responses', baseUrl: `${env.UNBROKEN_SIMULATOR_URL}/v1` };
    providers['simulated-messages'] ??= { wire: 'anthropic-messages', baseUrl: env.UNBROKEN_SIMULATOR_URL };
  }
  const apiKeys = readApiKeys(providers, environment);
  const usable = (candidate: Candidate) =>
    apiKeys[candidate.provider] !== undefined || providers[candidate.provider]?.apiKeyEnv === undefined;
  const keyed = BUILT_IN_ROUTE.filter(usable);
  const simulated = env.UNBROKEN_SIMULATOR_URL === undefined ? [] : [...SIMULATED_ROUTE];
  const routes = { default: keyed.length > 0 ? keyed : simulated, ...file.routes };
  checkRoutes(routes, providers);
  checkNamedRoutes(file, routes);
  return {
    ...file,
    providers,
    routes,
    host: env.UNBROKEN_HOST,
    port: env.UNBROKEN_PORT,
    logLevel: env.UNBROKEN_LOG_LEVEL,
    dataDir: resolve(env.UNBROKEN_DATA_DIR),
    devKey: env.UNBROKEN_DEV_KEY,
    temporal: {
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      taskQueue: env.UNBROKEN_TASK_QUEUE,
      uiUrl: env.TEMPORAL_UI_URL,
    },
    redisUrl: env.REDIS_URL,
    qdrant: { url: env.QDRANT_URL, apiKey: env.QDRANT_API_KEY },
    apiKeys,
  };
}

function readApiKeys(providers: ConfigFile['providers'], environment: Environment): Record<string, string> {
  const keys: Record<string, string> = {};
  for (const [name, provider] of Object.entries(providers)) {
    const key = provider.apiKeyEnv === undefined ? undefined : environment[provider.apiKeyEnv];
    if (key) keys[name] = key;
  }
  return keys;
}

function checkRoutes(routes: ConfigFile['routes'], providers: ConfigFile['providers']): void {
  for (const [route, candidates] of Object.entries(routes)) {
    for (const { provider, model } of candidates) {
      if (providers[provider] === undefined) {
        throw new ConfigError(
          `routes.${route}: "${provider}/${model}" names the provider "${provider}", which is not under providers. ` +
            `Known: ${Object.keys(providers).join(', ')}.`,
        );
      }
    }
  }
}

function checkNamedRoutes({ output, compression }: ConfigFile, routes: ConfigFile['routes']): void {
  for (const [section, named] of Object.entries({ output: output.routes, compression: compression.routes })) {
    for (const route of Object.keys(named)) {
      if (Object.hasOwn(routes, route)) continue;
      throw new ConfigError(
        `${section}.routes.${route}: there is no such route. Known: ${Object.keys(routes).join(', ')}.`,
      );
    }
  }
}

function readConfigFile(named: string | undefined): unknown {
  const path = resolve(named ?? 'unbroken.config.yaml');
  if (!existsSync(path)) {
    if (named === undefined) return {};
    throw new ConfigError(`UNBROKEN_CONFIG names ${path}, which does not exist. Correct or unset it.`);
  }
  try {
    return parseYaml(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw new ConfigError(`${path} is not valid YAML: ${error instanceof Error ? error.message : error}`);
  }
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new ConfigError(`Correct ${where}:\n${lines.join('\n')}`);
}

function withoutEmpty(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([key, value]) => (value ? [[key, value] as const] : [])),
  );
}
