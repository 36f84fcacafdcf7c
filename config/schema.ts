/** The shape of unbroken.config.yaml. Every key has a default; an unknown key is an error. */
import { z } from 'zod';
import { LIMITS } from '../contracts/limits.ts';

export const wireFamilies = ['openai-responses', 'anthropic-messages'] as const;
export type WireFamily = (typeof wireFamilies)[number];

const DAY_MS = 24 * 3_600_000;

const candidateSchema = z
  .string()
  .regex(/^[a-z0-9-]+\/\S+$/, 'expected provider/model, such as openai/gpt-4o-mini')
  .transform((name) => {
    const slash = name.indexOf('/');
    return { provider: name.slice(0, slash), model: name.slice(slash + 1) };
  });

const providerSchema = z.strictObject({
  wire: z.enum(wireFamilies),
  baseUrl: z.url().optional().describe("Absent: the vendor's own."),
  apiKeyEnv: z.string().min(1).optional().describe('The environment variable that holds the key.'),
  /** The name under which the price package knows this provider; absent: the provider's own name. */
  pricedAs: z.string().optional(),
  capabilities: z
    .strictObject({ reattach: z.boolean(), prefill: z.boolean(), instruct: z.boolean() })
    .partial()
    .optional()
    .describe('Overrides what the adapter knows of the models.'),
});

const priceSchema = z.strictObject({
  inputMicroUsdPerMillion: z.int().nonnegative(),
  outputMicroUsdPerMillion: z.int().nonnegative(),
});

const routeCacheSchema = z.strictObject({
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Cosine below which a stored question is not looked at.'),
  ttlMs: z.int().positive().default(DAY_MS).describe('How long an answer may be given again.'),
  judge: z.boolean().default(false).describe('Ask cache.judge where the verifier is unsure.'),
  singleFlight: z
    .boolean()
    .default(true)
    .describe('Generations that ask the same at the same time share one call.'),
});

const cacheSchema = z.strictObject({
  embedder: z
    .enum(['auto', 'local', 'openai', 'off'])
    .default('auto')
    .describe('auto: openai where OPENAI_API_KEY is set, else local; off: only the same words are a hit.'),
  judge: z
    .strictObject({
      model: candidateSchema,
      timeoutMs: z.int().positive().default(1_500),
    })
    .optional()
    .describe('A small model that decides where the verifier is unsure.'),
  default: routeCacheSchema.prefault({}),
  routes: z
    .record(z.string(), routeCacheSchema)
    .default({})
    .describe('Settings of a route in place of the default.'),
});

export const configSchema = z.strictObject({
  providers: z.record(z.string().regex(/^[a-z0-9-]+$/), providerSchema).default({}),
  routes: z.record(z.string(), z.array(candidateSchema).min(1).max(16)).default({}),
  /** Prices of `provider/model`, over those of the price package. */
  prices: z.record(z.string(), priceSchema).default({}),
  budget: z
    .strictObject({
      dailyTokensPerUser: z.int().positive().nullable().default(null).describe('null: no limit'),
    })
    .prefault({}),
  cache: cacheSchema.prefault({}),
  retention: z
    .strictObject({
      logMs: z
        .int()
        .positive()
        .default(24 * 3_600_000),
    })
    .prefault({}),
  limits: z
    .strictObject({
      connectMs: z.int().positive().default(LIMITS.connectMs),
      firstTokenMs: z.int().positive().default(LIMITS.firstTokenMs),
      betweenTokensMs: z.int().positive().default(LIMITS.betweenTokensMs),
      generationMs: z.int().positive().default(LIMITS.generationMs),
      defaultMaxOutputTokens: z.int().positive().default(LIMITS.defaultMaxOutputTokens),
    })
    .prefault({}),
  cors: z.strictObject({ origins: z.array(z.string()).default([]) }).prefault({}),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
export type CacheConfig = z.infer<typeof cacheSchema>;
export type Price = z.infer<typeof priceSchema>;
