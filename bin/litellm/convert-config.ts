/** A config of LiteLLM's proxy as one of ours, with a note for everything that has no counterpart. */
import { stringify } from 'yaml';
import { configSchema } from '../../platform/config/schema.ts';
import { ProviderConversion } from './convert-providers.ts';
import { type LiteLlmConfig, readLiteLlmConfig, unreadSettings } from './read-config.ts';

interface Conversion {
  /** The text of unbroken.config.yaml, with the notes as comments. */
  readonly text: string;
  /** What has no counterpart, or means something else here. */
  readonly notes: readonly string[];
}

type Settings = Readonly<Record<string, unknown>>;
interface Group {
  readonly candidates: Map<string, number>;
}

const ROUTE_NAME = /^[A-Za-z0-9_.-]{1,100}$/;
const MOST_CANDIDATES = 16;
const MICRO_USD = 1_000_000;
const ORDERS: Readonly<Record<string, 'weighted' | 'latency' | 'cost'>> = {
  'simple-shuffle': 'weighted',
  'latency-based-routing': 'latency',
  'cost-based-routing': 'cost',
};
const CONVERTED = new Set([
  'model_list',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'default_fallbacks',
  'routing_strategy',
  'model_group_alias',
  'max_internal_user_budget',
  'internal_user_budget_duration',
]);
/** What stands in for a setting that has no counterpart. */
const INSTEAD: Readonly<Record<string, string>> = {
  master_key: 'create keys with: npx unbroken keys create',
  database_url: 'no database is needed; Redis keeps keys and budgets',
  num_retries: 'the table of errors decides on retries (docs/routing.md)',
  request_timeout: 'limits.firstTokenMs, betweenTokensMs and generationMs',
  timeout: 'limits.firstTokenMs, betweenTokensMs and generationMs',
  allowed_fails: 'breaker',
  cooldown_time: 'breaker',
  cache: 'cache: a semantic cache, which is on by default (docs/semantic-cache.md)',
  cache_params: 'cache (docs/semantic-cache.md)',
  success_callback: 'OTEL_EXPORTER_OTLP_ENDPOINT sends traces (docs/operations.md)',
  failure_callback: 'OTEL_EXPORTER_OTLP_ENDPOINT sends traces (docs/operations.md)',
  callbacks: 'OTEL_EXPORTER_OTLP_ENDPOINT sends traces (docs/operations.md)',
  drop_params: 'parameters that a model does not support are refused',
  redis_host: 'REDIS_URL',
  redis_port: 'REDIS_URL',
  redis_password: 'REDIS_URL',
};

export function convertLiteLlmConfig(source: string): Conversion {
  const config = readLiteLlmConfig(source);
  const notes: string[] = [];
  const note = (text: string) => {
    if (!notes.includes(text)) notes.push(text);
  };
  const providers = new ProviderConversion(note);
  const groups = groupsOf(config, providers, note);
  const result: Settings = {
    ...filled('providers', providers.providers()),
    ...filled('routes', routesOf(config, groups, note)),
    ...filled('models', providers.models),
    ...filled('prices', providers.prices),
    ...budgetsOf(config, note),
  };
  noteRest(config, note);
  configSchema.parse(result);
  return { text: textOf(result, notes), notes };
}

function groupsOf(config: LiteLlmConfig, providers: ProviderConversion, note: (text: string) => void) {
  const groups = new Map<string, Group>();
  const written = new Map<string, string>();
  for (const deployment of config.model_list) {
    for (const name of unreadSettings(deployment)) note(`${name}: not converted`);
    const candidate = providers.add(deployment);
    if (candidate === undefined || !isForText(deployment, candidate, note)) continue;
    const name = routeName(deployment.model_name, note);
    const other = written.get(name) ?? deployment.model_name;
    if (other !== deployment.model_name)
      note(`${other} and ${deployment.model_name}: both are the route ${name}`);
    written.set(name, deployment.model_name);
    const { candidates } = groups.get(name) ?? { candidates: new Map<string, number>() };
    const { weight, rpm, tpm } = deployment.litellm_params;
    if (weight === 0) {
      note(`${deployment.model_name}: ${candidate} has the weight 0 and is left out`);
      continue;
    }
    // The same model with another key is one candidate: its keys share the calls.
    candidates.set(candidate, (candidates.get(candidate) ?? 0) + (weight ?? 1));
    groups.set(name, { candidates });
    if (rpm !== undefined || tpm !== undefined)
      note('rpm and tpm apply to a key here, to all its models together: their sum is taken');
  }
  if (groups.size === 0) throw new Error('No model of this config can be called from here.');
  return groups;
}

const FOR_TEXT: ReadonlySet<string> = new Set(['chat', 'completion', 'responses']);

/** A route is for texts; embeddings have one model. */
function isForText(
  { model_name: group, model_info: info }: LiteLlmConfig['model_list'][number],
  candidate: string,
  note: (text: string) => void,
): boolean {
  const { mode = 'chat' } = info ?? {};
  if (FOR_TEXT.has(mode)) return true;
  note(mode === 'embedding' ? `${group}: callers must send ${candidate}` : `${group}: no ${mode} here`);
  return false;
}

function routesOf(config: LiteLlmConfig, groups: ReadonlyMap<string, Group>, note: (text: string) => void) {
  const { litellm_settings: library, router_settings: router } = config;
  const targets = (
    kind: 'fallbacks' | 'context_window_fallbacks' | 'content_policy_fallbacks',
    name: string,
  ) =>
    [...library[kind], ...router[kind]].flatMap((entry) =>
      Object.entries(entry).flatMap(([from, names]) =>
        routeName(from) === name || from === '*' ? names : [],
      ),
    );
  const modelsOf = (fallbacks: readonly (string | { readonly model: string })[]) =>
    fallbacks.flatMap((fallback) => {
      const name = typeof fallback === 'string' ? fallback : fallback.model;
      if (typeof fallback === 'object' && Object.keys(fallback).length > 1)
        note(`fallback to ${name}: its other parameters are not converted`);
      const models = groups.get(routeName(name))?.candidates.keys();
      if (models === undefined) note(`fallback to ${name}: no model of the list has this name`);
      return [...(models ?? [])];
    });
  const routes: Record<string, object> = {};
  for (const [name, { candidates }] of groups) {
    const policy = modelsOf(targets('content_policy_fallbacks', name));
    const always = [...library.default_fallbacks, ...router.default_fallbacks];
    const next = [...modelsOf([...targets('fallbacks', name), ...always]), ...policy];
    const onContextLength = modelsOf(targets('context_window_fallbacks', name));
    const fallbacks = [...new Set(next)].filter((model) => !candidates.has(model));
    const order = orderOf(config, { own: candidates.size, fallbacks: fallbacks.length }, note);
    const own = [...candidates].map(([model, weight]) =>
      order === 'weighted' && weight !== 1 ? { model, weight: Math.min(weight, 1_000) } : model,
    );
    routes[name] = {
      candidates: [...own, ...fallbacks].slice(0, MOST_CANDIDATES),
      ...(order === 'listed' ? {} : { order }),
      ...(onContextLength.length === 0 ? {} : { onContextLength }),
      ...(policy.length === 0 ? {} : { onContentPolicy: 'fall-back' }),
    };
  }
  for (const [alias, target] of Object.entries(router.model_group_alias)) {
    const named: unknown = Object(target).model ?? target;
    const route = typeof named === 'string' ? routes[routeName(named)] : undefined;
    if (route === undefined) note(`router_settings.model_group_alias.${alias}: not converted`);
    else routes[routeName(alias, note)] = route;
  }
  const [first] = Object.values(routes);
  return first === undefined || Object.hasOwn(routes, 'default') ? routes : { default: first, ...routes };
}

/** Random order, or order by cost and speed, would also apply to the fallbacks, so these come only in listed order. */
function orderOf(
  { router_settings: { routing_strategy: strategy = 'simple-shuffle' } }: LiteLlmConfig,
  { own, fallbacks }: { readonly own: number; readonly fallbacks: number },
  note: (text: string) => void,
): 'listed' | 'weighted' | 'latency' | 'cost' {
  const order = ORDERS[strategy];
  if (order === undefined)
    note(`router_settings.routing_strategy: ${strategy} has no counterpart; listed order`);
  if (own < 2 || order === undefined) return 'listed';
  if (fallbacks === 0) return order;
  note('a model name with several models and fallbacks: the order is as listed, so that fallbacks come last');
  return 'listed';
}

function budgetsOf({ litellm_settings: library }: LiteLlmConfig, note: (text: string) => void): Settings {
  const { max_internal_user_budget: usd, internal_user_budget_duration: duration } = library;
  if (usd === undefined) return {};
  const window = windowOf(duration);
  if (window === undefined) {
    note(`internal_user_budget_duration: ${duration ?? 'none'} has no counterpart; windows are 1h to 31d`);
    return {};
  }
  return {
    budgets: { limits: [{ per: 'user', window, unit: 'micro-usd', amount: Math.round(usd * MICRO_USD) }] },
  };
}

function windowOf(duration: string | undefined): string | undefined {
  const [, count, unit] = /^(\d+)(s|m|h|d|mo)$/.exec(duration ?? '') ?? [];
  if (unit === 'mo') return count === '1' ? 'month' : undefined;
  if (unit === 'd') return count === '1' ? 'day' : Number(count) <= 31 ? `${count}d` : undefined;
  return unit === 'h' ? `${count}h` : undefined;
}

function noteRest(config: LiteLlmConfig, note: (text: string) => void): void {
  const sections = Object.entries(config as Settings).filter(([name]) => name !== 'model_list');
  for (const [section, settings] of sections) {
    if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
      note(`${section}: not converted`);
      continue;
    }
    for (const name of Object.keys(settings)) {
      if (CONVERTED.has(name)) continue;
      note(`${section}.${name}: not converted${INSTEAD[name] === undefined ? '' : `; ${INSTEAD[name]}`}`);
    }
  }
}

/** A request names a model; a route's name has no slash and no space. */
function routeName(name: string, note?: (text: string) => void): string {
  if (ROUTE_NAME.test(name)) return name;
  const route = name.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 100);
  note?.(`${name}: the route is called ${route}, and callers must use this name`);
  return route;
}

function filled(name: string, value: object): Settings {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

function textOf(config: Settings, notes: readonly string[]): string {
  const lines = ['# Converted from a config of LiteLLM. docs/migrate-from-litellm.md explains what differs.'];
  if (notes.length > 0)
    lines.push('#', '# Not converted, or different here:', ...notes.map((line) => `# - ${line}`));
  return `${lines.join('\n')}\n\n${stringify(config, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}
