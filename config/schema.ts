/** The shape of unbroken.config.yaml. Every key has a default; an unknown key is an error. */
import { z } from 'zod';
import { LIMITS } from '../contracts/limits.ts';

export const wireFamilies = ['openai-responses', 'anthropic-messages'] as const;
export type WireFamily = (typeof wireFamilies)[number];

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

const origin = z
  .string()
  .regex(/^(\*|https?:\/\/[^/\s]+)$/, 'expected an origin such as https://app.example.com, without a path');

const priceSchema = z.strictObject({
  inputMicroUsdPerMillion: z.int().nonnegative(),
  outputMicroUsdPerMillion: z.int().nonnegative(),
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
      heartbeatMs: z
        .int()
        .positive()
        .default(LIMITS.relayHeartbeatMs)
        .describe('Silence after which a stream gets a sign of life; below the idle limit of every proxy'),
      defaultMaxOutputTokens: z.int().positive().default(LIMITS.defaultMaxOutputTokens),
    })
    .prefault({}),
  /** Pages of these origins may call the API; "*": all. */
  cors: z.strictObject({ origins: z.array(origin).default([]) }).prefault({}),
  rateLimits: z
    .strictObject({
      requestsPerMinute: z.int().positive().nullable().default(60_000).describe('Of one key; null: no limit'),
      connectionsPerKey: z.int().positive().default(10_000).describe('Open at once at one API process'),
    })
    .prefault({}),
  http: z
    .strictObject({
      headersMs: z.int().positive().default(10_000).describe('For all header lines of a request'),
      requestMs: z.int().positive().default(60_000).describe('For a whole request with its body'),
      keepAliveMs: z.int().positive().default(75_000).describe('Longer than a proxy keeps idle connections'),
      connections: z.int().positive().default(20_000).describe('Of one API process'),
    })
    .prefault({}),
  encryption: z
    .strictObject({
      uiOrigins: z.array(origin).default([]).describe('Origins of the Temporal UI, beside TEMPORAL_UI_URL'),
    })
    .prefault({}),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
export type Price = z.infer<typeof priceSchema>;
