/**
 * `unbroken init`: writes a commented config for the API keys in the environment, or converts a config of LiteLLM. Only
 * the names of variables are written, never a key. It asks no service.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { VENDORS } from '../../platform/config/vendors.ts';
import { START_COMMAND } from '../../platform/on-disk.ts';
import { type JsonFlag, printJson, withJson } from './print-json.ts';

interface InitFlags extends JsonFlag {
  readonly path: string;
  readonly force?: boolean;
  readonly from?: string;
}

interface FoundKey {
  readonly provider: string;
  readonly variable: string;
}

/** A current general model of the vendors that have an obvious one, from the cheapest on. */
const USUAL_MODELS: Readonly<Record<string, string>> = {
  openai: 'gpt-4o-mini',
  google: 'gemini-2.5-flash',
  anthropic: 'claude-sonnet-4-5',
};
const SCHEMA = fileURLToPath(new URL('../../unbroken.config.schema.json', import.meta.url));

export function defineInit(command: Command): void {
  withJson(command)
    .option('--path <file>', 'where to write it', process.env['UNBROKEN_CONFIG'] || 'unbroken.config.yaml')
    .option('--from <file>', "convert a config of LiteLLM's proxy")
    .option('--force', 'replace a file that exists')
    .action(async (flags: InitFlags) => {
      const path = resolve(flags.path);
      if (flags.from !== undefined) return convert(path, flags.from, flags);
      const keys = keysIn(process.env);
      const text = configFor(keys, relative(resolve(path, '..'), SCHEMA));
      writeNew(path, text, flags);
      if (flags.json === true) return printJson({ path, keys, candidates: candidatesOf(keys) });
      console.log(`Wrote ${path}.`);
      for (const { provider, variable } of keys) console.log(`  ${provider}: ${variable} is set`);
      if (keys.length === 0) console.log('  No API key is set, so the simulated provider answers.');
      console.log(`Start it with: ${START_COMMAND}`);
    });
}

async function convert(path: string, from: string, flags: InitFlags): Promise<void> {
  const { convertLiteLlmConfig } = await import('../litellm/convert-config.ts');
  const { text, notes } = convertLiteLlmConfig(readFileSync(from, 'utf8'));
  writeNew(path, text, flags);
  if (flags.json === true) return printJson({ path, notes });
  console.log(`Wrote ${path}.`);
  if (notes.length > 0) console.log(['Not converted, or different here:', ...notes].join('\n  '));
  console.log(`Start it with: ${START_COMMAND}`);
}

function writeNew(path: string, text: string, { force }: InitFlags): void {
  if (existsSync(path) && force !== true)
    throw new Error(`${path} exists. Name another file with --path, or replace it with --force.`);
  writeFileSync(path, text);
}

/** Each variable counts once: for the first vendor that reads it. */
function keysIn(environment: Readonly<Record<string, string | undefined>>): FoundKey[] {
  const found = new Map<string, FoundKey>();
  for (const [provider, { apiKeyEnv: variable }] of Object.entries(VENDORS)) {
    if (variable === undefined || !environment[variable] || found.has(variable)) continue;
    found.set(variable, { provider, variable });
  }
  return [...found.values()];
}

function candidatesOf(keys: readonly FoundKey[]): string[] {
  const providers = new Set(keys.map(({ provider }) => provider));
  return Object.entries(USUAL_MODELS).flatMap(([provider, model]) =>
    providers.has(provider) ? [`${provider}/${model}`] : [],
  );
}

function configFor(keys: readonly FoundKey[], schema: string): string {
  return `${[
    `# yaml-language-server: $schema=${schema}`,
    '# The config of Unbroken. Every key has a default; an unknown key is an error. unbroken.config.example.yaml shows all.',
    '# API keys are never in this file: a provider names the environment variable that holds its key.',
    '',
    ...providerLines(keys),
    '',
    ...routeLines(keys),
    '',
    '# Limits of what a user, team or API key may spend. The worst case is reserved before each call. docs/budgets.md',
    '# budgets:',
    '#   limits:',
    '#     - { per: user, window: day, amount: 200000 } # tokens of each user',
    '#     - { per: team, window: month, unit: micro-usd, amount: 50000000 } # 50 USD of each team',
    '',
    '# Whether a question is answered from an earlier answer. docs/semantic-cache.md',
    '# cache:',
    '#   embedder: auto # openai where OPENAI_API_KEY is set, else a local model; off: only the same words are a hit',
    '#   share: user # tenant: all users of a tenant share answers',
    '',
    '# How long the log of a finished generation can be followed.',
    '# retention:',
    '#   logMs: 86400000',
  ].join('\n')}\n`;
}

function providerLines(keys: readonly FoundKey[]): string[] {
  const found = keys.map(({ provider, variable }) => `#   ${variable} for ${provider}`);
  return [
    ...(found.length === 0
      ? [
          `# No API key of a known provider is set; without one, ${START_COMMAND} uses the simulated provider.`,
        ]
      : ['# These providers are ready, because their keys are set. They need no entry here:', ...found]),
    '# Others, and changes of these: docs/providers.md',
    '# providers:',
    '#   gateway:',
    '#     wire: openai-chat',
    '#     baseUrl: https://gateway.example.com/v1',
    '#     apiKeyEnv: GATEWAY_API_KEY # the name of the variable, never the key itself',
  ];
}

function routeLines(keys: readonly FoundKey[]): string[] {
  const candidates = candidatesOf(keys);
  const others = keys.filter(({ provider }) => !Object.hasOwn(USUAL_MODELS, provider));
  const suggestions = others.map(
    ({ provider }) => `- ${provider}/<model> # npx unbroken models --provider ${provider}`,
  );
  const head = [
    '# Where a request goes that names no model: to the first candidate; when it fails, to the next. docs/routing.md',
  ];
  if (candidates.length === 0) {
    const example = suggestions.length > 0 ? suggestions : ['- openai/gpt-4o-mini'];
    const lines = example.map((line) => `#       ${line}`);
    return [...head, '# routes:', '#   default:', '#     candidates:', ...lines];
  }
  return [
    ...head,
    'routes:',
    '  default:',
    '    candidates:',
    ...candidates.map((candidate) => `      - ${candidate}`),
    ...suggestions.map((line) => `      # ${line}`),
    '    order: listed # or weighted, cost, latency',
  ];
}
