/** The answer cache of a worker, put together as the config says: embedder, verifier, judge, flights. */
import type { CacheSettings, Dependencies } from '../activities/dependencies.ts';
import type { GenerationInput } from '../contracts/generation.ts';
import { DEFAULTS, LIMITS } from '../contracts/limits.ts';
import { NO_USAGE, type Usage } from '../contracts/money.ts';
import { createJudge, type Judge, type JudgeModel } from '../engine/cache/judge.ts';
import { createQdrantAnswers } from '../engine/cache/qdrant-answers.ts';
import { createRedisFlights, type FlightsRedis } from '../engine/cache/redis-flights.ts';
import { createSemanticAnswerCache } from '../engine/cache/semantic-answer-cache.ts';
import { createThreadedVerifier } from '../engine/cache/threaded-verifier.ts';
import type { Embedder } from '../engine/embedding/embedder.ts';
import { createLocalEmbedder } from '../engine/embedding/local-embedder.ts';
import { createOpenAiEmbedder } from '../engine/embedding/openai-embedder.ts';
import { rememberVectors } from '../engine/embedding/remembering-embedder.ts';
import type { SentenceEncoder } from '../engine/embedding/sentence-encoder.ts';
import type { Provider, ProviderCall } from '../engine/providers/provider.ts';
import type { Config } from '../platform/config/load-config.ts';

interface CacheOfWorker extends Pick<Dependencies, 'cache' | 'flights' | 'cacheSettings'> {
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

export function createCache(
  config: Config,
  {
    redis,
    encoder,
    providers,
    priceOf,
    countTexts,
  }: { readonly redis: FlightsRedis; readonly encoder: SentenceEncoder } & Pick<
    Dependencies,
    'providers' | 'priceOf' | 'countTexts'
  >,
): CacheOfWorker {
  const configured = createEmbedder(config, encoder);
  const { lookUpMs } = config.cache;
  const embedder =
    configured === null
      ? null
      : rememberVectors({ ...configured, timeoutMs: lookUpMs ?? configured.timeoutMs });
  const verifier = createThreadedVerifier(
    lookUpMs === undefined
      ? undefined
      : { waitMs: lookUpMs, compareMs: lookUpMs, runMs: lookUpMs + LIMITS.verifierRunMs },
  );
  const timeoutMs = lookUpMs ?? DEFAULTS.cacheLookUpMs;
  const answers = createQdrantAnswers({ ...config.qdrant, timeoutMs, embedder: embedder ?? NO_EMBEDDER });
  const judge = createConfiguredJudge(config, providers, { priceOf, countTexts });
  const cache = createSemanticAnswerCache({ answers, embedder, verifier, judge, timeoutMs });
  return {
    cache,
    flights: createRedisFlights({ redis, embedder, verifier }),
    cacheSettings: (route): CacheSettings => ({
      ...((Object.hasOwn(config.cache.routes, route) ? config.cache.routes[route] : undefined) ??
        config.cache.default),
      share: config.cache.share,
    }),
    warmUp: () => cache.warmUp(),
    close: async () => {
      await Promise.all([embedder?.close(), verifier.close()]);
    },
  };
}

/** Without an embedder the points have no vector; Qdrant wants some size all the same. */
const NO_EMBEDDER = { name: 'none', dimensions: 1 };

function createEmbedder(
  config: Pick<Config, 'cache' | 'providerKeys' | 'providers'>,
  encoder: SentenceEncoder,
): Embedder | null {
  const { embedder } = config.cache;
  if (embedder === 'off') return null;
  const apiKey = config.providerKeys['openai']?.[0]?.secret;
  if (embedder === 'local' || (embedder === 'auto' && apiKey === undefined)) {
    return createLocalEmbedder(encoder);
  }
  if (apiKey === undefined) throw new Error('cache.embedder is openai, but OPENAI_API_KEY is not set.');
  return createOpenAiEmbedder({ apiKey, baseUrl: config.providers['openai']?.baseUrl });
}

function createConfiguredJudge(
  { cache: { judge } }: Config,
  providers: ReadonlyMap<string, Provider>,
  { priceOf, countTexts }: Pick<Dependencies, 'priceOf' | 'countTexts'>,
): Judge | null {
  if (judge === undefined) return null;
  const slash = judge.model.indexOf('/');
  const [name, model] = [judge.model.slice(0, slash), judge.model.slice(slash + 1)];
  const provider = providers.get(name);
  if (provider === undefined)
    throw new Error(`cache.judge.model names the provider "${name}", which has no key.`);
  const by: JudgeModel = {
    async ask({ system, prompt, maxOutputTokens, signal, onText }) {
      const input: GenerationInput = {
        system,
        maxOutputTokens,
        temperature: 0,
        messages: [{ role: 'user', content: prompt }],
      };
      const call: ProviderCall = {
        model,
        input,
        maxOutputTokens,
        signal,
        idempotencyKey: `judge:${crypto.randomUUID()}`,
        resume: { strategy: 'start' },
      };
      let usage: Usage | null = null;
      for await (const event of provider.stream(call)) {
        if (event.type === 'text') onText(event.text);
        if (event.type === 'finish') usage = event.usage;
      }
      return usage;
    },
    async estimate(asked, answered) {
      const [inputTokens = 0, outputTokens = 0] = await countTexts([asked, answered]);
      return { ...NO_USAGE, inputTokens, outputTokens, estimated: true };
    },
    priceOf: (usage) => priceOf(name, model, usage),
  };
  return createJudge({ provider: name, model, timeoutMs: judge.timeoutMs, by });
}
