/** LiteLLM's deployments as providers, keys, candidates, prices and facts of models. */
import type { ConfigFile } from '../../platform/config/schema.ts';
import { VENDORS } from '../../platform/config/vendors.ts';
import type { LiteLlmDeployment, PriceName } from './read-config.ts';

type Provider = NonNullable<ConfigFile['providers']>[string];

/** LiteLLM's prefix of a model: our provider, where the names differ. */
const RENAMED: Readonly<Record<string, string>> = {
  ai21_chat: 'ai21',
  cohere_chat: 'cohere',
  dashscope: 'alibaba',
  fireworks_ai: 'fireworks',
  gemini: 'google',
  github: 'github-models',
  hosted_vllm: 'vllm',
  lm_studio: 'lm-studio',
  moonshot: 'moonshotai',
  nvidia_nim: 'nvidia',
  ollama_chat: 'ollama',
  together_ai: 'together',
  vercel_ai_gateway: 'vercel',
};
/** Names of models that LiteLLM accepts without a prefix. */
const BARE: readonly (readonly [RegExp, string])[] = [
  [/^(?:gpt-|chatgpt-|o\d)/, 'openai'],
  [/^claude-/, 'anthropic'],
];
const COMPATIBLE = new Set(['openai', 'custom_openai', 'openai_like', 'text-completion-openai']);
const ENVIRONMENT = 'os.environ/';
/** A price per token in USD, as micro-USD per million tokens. */
const MICRO_USD_PER_MILLION = 1e12;

/** The prices of parts, and their names. */
const PARTS: Readonly<Record<string, PriceName>> = {
  cachedInputMicroUsdPerMillion: 'cache_read_input_token_cost',
  cacheWriteMicroUsdPerMillion: 'cache_creation_input_token_cost',
  cacheWriteHourMicroUsdPerMillion: 'cache_creation_input_token_cost_above_1hr',
  inputAudioMicroUsdPerMillion: 'input_cost_per_audio_token',
  outputImageMicroUsdPerMillion: 'output_cost_per_image_token',
};

interface Usage {
  readonly provider: Provider;
  /** Variables of its keys, with what their deployments may use in a minute. */
  readonly keys: Map<string, { requests: number; tokens: number }>;
}

export class ProviderConversion {
  readonly #usages = new Map<string, Usage>();
  /** Names of providers by what makes them one: where they are and which format they have. */
  readonly #names = new Map<string, string>();
  readonly prices: NonNullable<ConfigFile['prices']> = {};
  readonly models: NonNullable<ConfigFile['models']> = {};
  readonly #note: (text: string) => void;

  constructor(note: (text: string) => void) {
    this.#note = note;
  }

  /** @returns our name of the model, `provider/model`; undefined if no provider of ours calls it. */
  add(deployment: LiteLlmDeployment): string | undefined {
    const { model_name: group, litellm_params: params } = deployment;
    const { prefix, model } = splitModel(params.model);
    if (model.includes('*')) {
      this.#note(`${group}: a wildcard; name the models in a route, or send provider/model in the request`);
      return undefined;
    }
    const name = this.#providerOf(prefix, deployment);
    if (name === undefined) {
      const isAddressed = params.api_base?.startsWith(ENVIRONMENT) !== true;
      this.#note(
        isAddressed
          ? `${group}: no provider here is LiteLLM's "${prefix || params.model}"; see docs/providers.md`
          : `${group}: its api_base is in a variable; write the address into the file and convert it again`,
      );
      return undefined;
    }
    this.#addKey(name, deployment);
    this.#addPrices(`${name}/${model}`, deployment);
    this.#addFacts(`${name}/${model}`, deployment);
    return `${name}/${model}`;
  }

  /** Only what differs from what is built in. */
  providers(): Record<string, object> {
    return Object.fromEntries(
      [...this.#usages].flatMap(([name, { provider, keys }]): [string, object][] => {
        const { apiKeyEnv, ...rest } = provider;
        const entries = [...keys].map(([env, { requests, tokens }]) => {
          const limits = { ...(requests > 0 ? { requests } : {}), ...(tokens > 0 ? { tokens } : {}) };
          return { env, ...(requests + tokens > 0 ? { limits } : {}) };
        });
        const [only, ...others] = entries;
        const isBuiltIn = Object.hasOwn(VENDORS, name);
        if (only === undefined) return isBuiltIn ? [] : [[name, provider]];
        if (others.length > 0) return [[name, { ...rest, keys: entries }]];
        if (isBuiltIn && only.env === apiKeyEnv && only.limits === undefined) return [];
        const { env, limits } = only;
        return [[name, { ...rest, apiKeyEnv: env, ...(limits === undefined ? {} : { limits }) }]];
      }),
    );
  }

  #providerOf(prefix: string, { litellm_params: params }: LiteLlmDeployment): string | undefined {
    const identity = [prefix, params.api_base, params.api_version, params.aws_region_name].join(' ');
    const known = this.#names.get(identity);
    if (known !== undefined) return known;
    const provider = providerFor(prefix, params);
    if (provider === undefined) return undefined;
    const vendor = RENAMED[prefix] ?? prefix;
    const isVendor = params.api_base === undefined && Object.hasOwn(VENDORS, vendor);
    const name = isVendor ? vendor : this.#freeName(params.api_base, vendor);
    this.#names.set(identity, name);
    this.#usages.set(name, { provider, keys: new Map() });
    return name;
  }

  #freeName(apiBase: string | undefined, vendor: string): string {
    const host = apiBase === undefined ? undefined : URL.parse(apiBase)?.hostname.split('.')[0];
    const wanted = (host ?? vendor).toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
    const isTaken = (name: string) => this.#usages.has(name) || Object.hasOwn(VENDORS, name);
    let name = /^\d|^localhost$/.test(wanted) ? `${vendor.replaceAll('_', '-')}-server` : wanted;
    for (let count = 2; isTaken(name); count++) name = `${name.replace(/-\d+$/, '')}-${count}`;
    return name;
  }

  #addKey(name: string, { model_name: group, litellm_params: params }: LiteLlmDeployment): void {
    const usage = this.#usages.get(name);
    if (usage === undefined) return;
    const usual = usage.provider.apiKeyEnv ?? `${name.toUpperCase().replaceAll('-', '_')}_API_KEY`;
    const named = this.#variableOf(group, params.api_key, usual);
    const variable = named ?? usage.provider.apiKeyEnv;
    if (variable === undefined) return;
    const { requests, tokens } = usage.keys.get(variable) ?? { requests: 0, tokens: 0 };
    usage.keys.set(variable, {
      requests: requests + (params.rpm ?? 0),
      tokens: tokens + (params.tpm ?? 0),
    });
  }

  #variableOf(group: string, key: string | undefined, usual: string): string | undefined {
    if (key === undefined || key === '' || key === 'none') return undefined;
    if (key.startsWith(ENVIRONMENT)) return key.slice(ENVIRONMENT.length);
    this.#note(`${group}: its key is in the file; it is not copied. Put it into the variable ${usual}`);
    return usual;
  }

  #addPrices(candidate: string, deployment: LiteLlmDeployment): void {
    const { model_name: group, litellm_params: params, model_info: info } = deployment;
    const costOf = (name: PriceName) => params[name] ?? info?.[name];
    const input = costOf('input_cost_per_token');
    const ofOutput = costOf('output_cost_per_token');
    // Embeddings have no output.
    const output = ofOutput ?? (info?.mode === 'embedding' ? 0 : undefined);
    const parts = Object.entries(PARTS).flatMap(([ours, theirs]) => {
      const cost = costOf(theirs);
      return cost === undefined ? [] : [[ours, perMillion(cost)]];
    });
    if (input === undefined || output === undefined) {
      if (parts.length > 0 || input !== undefined || ofOutput !== undefined)
        this.#note(
          `${group}: a price needs input_cost_per_token and output_cost_per_token; it is not converted`,
        );
      return;
    }
    this.prices[candidate] = {
      inputMicroUsdPerMillion: perMillion(input),
      outputMicroUsdPerMillion: perMillion(output),
      ...Object.fromEntries(parts),
    };
  }

  #addFacts(candidate: string, { model_info: info }: LiteLlmDeployment): void {
    const { supports_vision: vision, supports_function_calling: tools } = info ?? {};
    const capabilities = {
      ...(vision === undefined ? {} : { vision }),
      ...(tools === undefined ? {} : { tools }),
    };
    const facts = {
      ...(info?.max_input_tokens === undefined ? {} : { contextWindow: info.max_input_tokens }),
      ...(info?.max_output_tokens === undefined ? {} : { maxOutputTokens: info.max_output_tokens }),
      ...(Object.keys(capabilities).length === 0 ? {} : { capabilities }),
    };
    if (Object.keys(facts).length > 0) this.models[candidate] = facts;
  }
}

function perMillion(usdPerToken: number): number {
  return Math.round(usdPerToken * MICRO_USD_PER_MILLION);
}

function splitModel(name: string): { prefix: string; model: string } {
  const slash = name.indexOf('/');
  if (slash > 0) return { prefix: name.slice(0, slash), model: name.slice(slash + 1) };
  return { prefix: BARE.find(([pattern]) => pattern.test(name))?.[1] ?? '', model: name };
}

function providerFor(prefix: string, params: LiteLlmDeployment['litellm_params']): Provider | undefined {
  const { api_base: baseUrl, api_version: apiVersion, aws_region_name: region } = params;
  if (prefix === 'azure') {
    if (baseUrl === undefined || baseUrl.startsWith(ENVIRONMENT)) return undefined;
    return {
      wire: 'azure-openai',
      baseUrl,
      ...(apiVersion === undefined ? {} : { apiVersion }),
      pricedAs: 'azure',
    };
  }
  if (prefix === 'bedrock') return { wire: 'bedrock', region: region ?? 'us-east-1', pricedAs: 'aws' };
  const vendor = VENDORS[RENAMED[prefix] ?? prefix];
  if (baseUrl === undefined) return vendor;
  if (baseUrl.startsWith(ENVIRONMENT)) return undefined;
  // A server of its owner's that speaks OpenAI's format has chat completions; few have Responses.
  if (COMPATIBLE.has(prefix)) return { wire: 'openai-chat', baseUrl };
  return vendor === undefined ? undefined : { ...vendor, baseUrl };
}
