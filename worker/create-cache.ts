/** Builds the answer cache of a worker as the config says: embedder, verifier, judge, flights. */
import type { CacheSettings, Dependencies } from '../activities/dependencies.ts';
import { DEFAULTS, LIMITS } from '../contracts/limits.ts';
import { QdrantAnswers } from '../engine/cache/qdrant-answers.ts';
import { type ComplaintsRedis, RedisComplaints } from '../engine/cache/redis-complaints.ts';
import { type FlightsRedis, RedisFlights } from '../engine/cache/redis-flights.ts';
import { SemanticAnswerCache } from '../engine/cache/semantic-answer-cache.ts';
import { assertGuaranteed, createThreadedVerifier } from '../engine/cache/threaded-verifier.ts';
import type { Embedder } from '../engine/embedding/embedder.ts';
import { createLocalEmbedder } from '../engine/embedding/local-embedder.ts';
import { createOpenAiEmbedder } from '../engine/embedding/openai-embedder.ts';
import { rememberVectors } from '../engine/embedding/remembering-embedder.ts';
import type { SentenceEncoder } from '../engine/embedding/sentence-encoder.ts';
import type { Config } from '../platform/config/load-config.ts';
import { createConfiguredJudge } from './create-judge.ts';

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
  }: { readonly redis: FlightsRedis & ComplaintsRedis; readonly encoder: SentenceEncoder } & Pick<
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
  const { verifier: by } = config.cache;
  if (by === 'learned') assertGuaranteed(acceptedOf(config.cache));
  const verifier = createThreadedVerifier(
    lookUpMs === undefined
      ? undefined
      : { waitMs: lookUpMs, compareMs: lookUpMs, runMs: lookUpMs + LIMITS.verifierRunMs },
    by,
  );
  const timeoutMs = lookUpMs ?? DEFAULTS.cacheLookUpMs;
  const answers = new QdrantAnswers({ ...config.qdrant, timeoutMs, embedder: embedder ?? NO_EMBEDDER });
  const judge = createConfiguredJudge(config, providers, { priceOf, countTexts });
  const complaints = new RedisComplaints(redis);
  const cache = new SemanticAnswerCache({ answers, embedder, verifier, judge, complaints, timeoutMs });
  return {
    cache,
    flights: new RedisFlights({ redis, embedder, verifier, complaints }),
    cacheSettings: (route): CacheSettings => ({
      ...((Object.hasOwn(config.cache.routes, route) ? config.cache.routes[route] : undefined) ??
        config.cache.default),
      share: config.cache.share,
    }),
    warmUp: () => (config.cache.warmUp ? cache.warmUp() : Promise.resolve()),
    close: async () => {
      await Promise.all([embedder?.close(), verifier.close()]);
    },
  };
}

/** The accepted share of false hits of each route, by the name of its setting. */
function acceptedOf({ default: own, routes }: Config['cache']): Record<string, number> {
  const named = Object.entries(routes).map(([name, route]) => [`cache.routes.${name}`, route] as const);
  return Object.fromEntries(
    [['cache.default', own] as const, ...named].map(([name, { acceptedFalseHits }]) => [
      `${name}.acceptedFalseHits`,
      acceptedFalseHits,
    ]),
  );
}

/** Without an embedder the points have no vector, but Qdrant requires a size. */
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
