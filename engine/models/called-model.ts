/**
 * How a candidate is called with an input: in which of its vendor's formats, and what the model can do there. OpenAI
 * has two: the Responses API, whose interrupted answers can be reattached to, and chat completions, which take fields
 * that Responses lacks.
 */
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import type { ModelFacts } from '../../contracts/model.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { ProviderConfig } from '../../platform/config/schema.ts';
import { factsOf } from './catalogue.ts';
import { foreignFields } from './native-fields.ts';
import { withOwnDialect } from './reasoning-dialects.ts';
import { LEAST_RESPONSE_TOKENS } from './rules/openai.ts';
import type { RuledCall } from './rules/rule.ts';

/** Callers choose the names of models, so the number of models whose facts are kept has a limit. */
const MODELS_KEPT = 10_000;

/** Fields of our own format that chat completions have and Responses lacks. */
const CHAT_ONLY = ['stop', 'seed', 'frequencyPenalty', 'presencePenalty'] as const;

/** Where OpenAI's chat completions deviate from those of others. */
const OPENAI_CHAT = {
  maxTokensField: 'max_completion_tokens',
  promptCacheKey: 'prompt_cache_key',
  vendorRules: true,
} as const;

export class CalledModels {
  readonly #config: Pick<Config, 'providers' | 'models'>;
  /** A look-up in the catalogue takes too long for every request. */
  readonly #facts = new BoundedMap<string, ModelFacts>(MODELS_KEPT);
  readonly #chat: Readonly<Record<string, ProviderConfig>>;

  constructor(config: Pick<Config, 'providers' | 'models'>) {
    this.#config = config;
    this.#chat = Object.fromEntries(
      Object.entries(config.providers).flatMap(([name, own]) => {
        const chat = chatCompletionsOf(name, own);
        return chat === null ? [] : [[name, chat]];
      }),
    );
  }

  /** @returns null for a provider that the config lacks. */
  find({ provider, model }: Candidate, input: GenerationInput): RuledCall | null {
    const own = Object.hasOwn(this.#config.providers, provider)
      ? this.#config.providers[provider]
      : undefined;
    if (own === undefined) return null;
    const chat = this.#chat[provider];
    const config = chat !== undefined && needsChat(input, provider) ? chat : own;
    const facts = this.factsOf(provider, model, config);
    return { provider, model, config, facts, input: withOwnDialect(input, config) };
  }

  /** @param config of the provider, absent: as it is set. */
  factsOf(provider: string, model: string, config = this.#config.providers[provider]): ModelFacts {
    const key = `${config?.wire} ${provider}/${model}`;
    const { models, providers } = this.#config;
    return this.#facts.getOrCreate(key, () => {
      const called = config === undefined ? providers : { ...providers, [provider]: config };
      return factsOf({ models, providers: called }, provider, model);
    });
  }
}

/** The same server and key, in chat completions; null for a provider that has them not, or has nothing else. */
export function chatCompletionsOf(name: string, config: ProviderConfig): ProviderConfig | null {
  const {
    wire,
    baseUrl,
    knownAs = name,
    chatCompletions = baseUrl === undefined && knownAs === 'openai',
  } = config;
  if (wire !== 'openai-responses' || !chatCompletions) return null;
  return {
    ...config,
    wire: 'openai-chat',
    quirks: { ...OPENAI_CHAT, ...config.quirks },
  };
}

function needsChat(input: GenerationInput, provider: string): boolean {
  const isChatOnly =
    CHAT_ONLY.some((field) => input[field] !== undefined) ||
    (input.maxOutputTokens < LEAST_RESPONSE_TOKENS && input.capFrom === 'request') ||
    foreignFields(input, 'openai-responses', provider).refused.length > 0;
  return isChatOnly && foreignFields(input, 'openai-chat', provider).refused.length === 0;
}
