/**
 * Providers that need only a key: base URL, name of the key's variable, and the vendor's deviations from its format.
 * Sources: the vendors' API references. A config file can change or add any of them.
 */
import { DEFAULTS } from '../../contracts/limits.ts';
import type { ConfigFile, Price, ProviderConfig } from './schema.ts';

/** OpenAI's chat completions as most vendors implement them. */
const chat = (
  baseUrl: string,
  apiKeyEnv: string | undefined,
  more: Partial<ProviderConfig> = {},
): ProviderConfig => ({
  wire: 'openai-chat',
  baseUrl,
  ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
  ...more,
});

/** Sources: DeepSeek, "Thinking mode"; Moonshot, "Use the thinking model"; Z.AI, "Thinking mode". */
const thinkingSwitch = { reasoningContent: 'tool-turns', reasoningEffort: 'thinking-switch' } as const;
const noSchema = { capabilities: { jsonSchema: false } } as const;

/** A server that loads a model when it is called. Many chat templates refuse a second system message, or a late one. */
const local = (baseUrl: string, more: Partial<ProviderConfig> = {}): ProviderConfig =>
  chat(baseUrl, undefined, {
    firstTokenMs: DEFAULTS.localFirstTokenMs,
    ...more,
    quirks: { systemMessages: 'first', ...more.quirks },
  });

export const VENDORS: Readonly<Record<string, ProviderConfig>> = {
  openai: { wire: 'openai-responses', apiKeyEnv: 'OPENAI_API_KEY' },
  'openai-chat': {
    ...chat('https://api.openai.com/v1', 'OPENAI_API_KEY', { pricedAs: 'openai', knownAs: 'openai' }),
    quirks: {
      maxTokensField: 'max_completion_tokens',
      promptCacheKey: 'prompt_cache_key',
      vendorRules: true,
    },
  },
  anthropic: { wire: 'anthropic-messages', apiKeyEnv: 'ANTHROPIC_API_KEY' },
  google: { wire: 'google', apiKeyEnv: 'GEMINI_API_KEY' },
  cohere: { wire: 'cohere', apiKeyEnv: 'COHERE_API_KEY' },

  alibaba: chat('https://dashscope-intl.aliyuncs.com/compatible-mode/v1', 'DASHSCOPE_API_KEY'),
  baseten: chat('https://inference.baseten.co/v1', 'BASETEN_API_KEY'),
  cerebras: chat('https://api.cerebras.ai/v1', 'CEREBRAS_API_KEY', {
    quirks: { maxTokensField: 'max_completion_tokens', messageFields: ['name'] },
  }),
  deepinfra: chat('https://api.deepinfra.com/v1/openai', 'DEEPINFRA_API_KEY'),
  deepseek: chat('https://api.deepseek.com', 'DEEPSEEK_API_KEY', {
    ...noSchema,
    quirks: { ...thinkingSwitch, reasoningEffort: 'switch-and-effort', prefill: 'beta-prefix' },
  }),
  fireworks: chat('https://api.fireworks.ai/inference/v1', 'FIREWORKS_API_KEY', { knownAs: 'fireworks-ai' }),
  'github-models': chat('https://models.github.ai/inference', 'GITHUB_TOKEN'),
  groq: chat('https://api.groq.com/openai/v1', 'GROQ_API_KEY', {
    quirks: { maxTokensField: 'max_completion_tokens', messageFields: ['name'] },
  }),
  huggingface: chat('https://router.huggingface.co/v1', 'HF_TOKEN'),
  'lm-studio': local('http://127.0.0.1:1234/v1', { knownAs: 'lmstudio', quirks: { remoteImages: false } }),
  'llama-cpp': local('http://127.0.0.1:8080/v1'),
  minimax: chat('https://api.minimax.io/v1', 'MINIMAX_API_KEY'),
  // Rejects unknown fields; reports the usage by default.
  mistral: chat('https://api.mistral.ai/v1', 'MISTRAL_API_KEY', {
    quirks: {
      seedField: 'random_seed',
      streamOptions: false,
      prefill: 'prefix',
      toolCallIds: 'nine-alphanumeric',
      systemMessages: 'first',
      turns: 'assistant-after-tool',
      messageFields: ['prefix'],
      promptCacheKey: 'prompt_cache_key',
    },
  }),
  moonshotai: chat('https://api.moonshot.ai/v1', 'MOONSHOT_API_KEY', { quirks: thinkingSwitch }),
  nebius: chat('https://api.tokenfactory.nebius.com/v1', 'NEBIUS_API_KEY'),
  novita: chat('https://api.novita.ai/openai/v1', 'NOVITA_API_KEY'),
  nvidia: chat('https://integrate.api.nvidia.com/v1', 'NVIDIA_API_KEY'),
  // "OpenAI compatibility": an image in base64, not by its URL.
  ollama: local('http://127.0.0.1:11434/v1', { quirks: { remoteImages: false } }),
  openrouter: chat('https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY', {
    quirks: {
      reasoningEffort: 'reasoning-object',
      efforts: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'],
    },
  }),
  // Supports no tools; reports the usage in every chunk.
  perplexity: chat('https://api.perplexity.ai', 'PERPLEXITY_API_KEY', {
    quirks: { streamOptions: false, systemMessages: 'first', turns: 'alternate' },
    capabilities: { tools: false, stop: false },
  }),
  sambanova: chat('https://api.sambanova.ai/v1', 'SAMBANOVA_API_KEY'),
  together: chat('https://api.together.xyz/v1', 'TOGETHER_API_KEY', { knownAs: 'togetherai' }),
  venice: chat('https://api.venice.ai/api/v1', 'VENICE_API_KEY'),
  vercel: chat('https://ai-gateway.vercel.sh/v1', 'AI_GATEWAY_API_KEY'),
  vllm: local('http://127.0.0.1:8000/v1', { quirks: { prefill: 'continue-final-message' } }),
  xai: chat('https://api.x.ai/v1', 'XAI_API_KEY', {
    pricedAs: 'x-ai',
    quirks: { maxTokensField: 'max_completion_tokens', promptCacheKey: 'x-grok-conv-id' },
  }),
  zai: chat('https://api.z.ai/api/paas/v4', 'ZAI_API_KEY', {
    ...noSchema,
    quirks: { ...thinkingSwitch, reasoningEffort: 'switch-and-effort' },
  }),
};

/** The simulated provider in each of its formats, at its own address. */
export function simulatedVendors(url: string): Readonly<Record<string, ProviderConfig>> {
  const simulated = (wire: ProviderConfig['wire'], baseUrl: string): ProviderConfig => ({
    wire,
    baseUrl,
    simulated: true,
  });
  return {
    simulated: { ...simulated('openai-responses', `${url}/v1`), chatCompletions: true },
    'simulated-messages': simulated('anthropic-messages', url),
    'simulated-chat': {
      ...simulated('openai-chat', `${url}/v1`),
      quirks: { vendorRules: true },
    },
    'simulated-google': simulated('google', url),
    'simulated-cohere': simulated('cohere', url),
  };
}

/** As a small and a large model of 2026 cost, so that budgets and savings show plausible numbers without any key. */
const SIMULATED_PRICES: Readonly<Record<string, Price>> = {
  'sim-small': {
    inputMicroUsdPerMillion: 250_000,
    cachedInputMicroUsdPerMillion: 25_000,
    outputMicroUsdPerMillion: 2_000_000,
  },
  'sim-large': {
    inputMicroUsdPerMillion: 3_000_000,
    cachedInputMicroUsdPerMillion: 300_000,
    cacheWriteMicroUsdPerMillion: 3_750_000,
    outputMicroUsdPerMillion: 15_000_000,
  },
};

/** Prices and abilities of the simulated models, by `provider/model`. */
export function simulatedModels(url: string): Pick<ConfigFile, 'prices' | 'models'> {
  const names = Object.keys(simulatedVendors(url)).flatMap((provider) =>
    Object.entries(SIMULATED_PRICES).map(([model, price]) => [`${provider}/${model}`, price] as const),
  );
  const capabilities = { tools: true, vision: true, jsonSchema: true };
  return {
    prices: Object.fromEntries(names),
    models: Object.fromEntries(names.map(([name]) => [name, { capabilities }])),
  };
}
