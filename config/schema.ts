/** The shape of unbroken.config.yaml. Every key has a default; an unknown key is an error. */
import { z } from 'zod';
import { LIMITS } from '../contracts/limits.ts';
import { breakerSchema, keyLimitsSchema, keySchema } from './gate-schema.ts';
import { routeSchema } from './route-schema.ts';

export const wireFamilies = ['openai-responses', 'anthropic-messages'] as const;
export type WireFamily = (typeof wireFamilies)[number];

const providerSchema = z.strictObject({
  wire: z.enum(wireFamilies),
  baseUrl: z.url().optional().describe("Absent: the vendor's own."),
  apiKeyEnv: z.string().min(1).optional().describe('The environment variable that holds the key.'),
  keys: z.array(keySchema).min(1).max(64).optional().describe('Several keys; instead of apiKeyEnv.'),
  limits: keyLimitsSchema.optional().describe('How much each key may be used; a key may have its own.'),
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

export const configSchema = z.strictObject({
  providers: z.record(z.string().regex(/^[a-z0-9-]+$/), providerSchema).default({}),
  routes: z.record(z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/), routeSchema).default({}),
  breaker: breakerSchema.prefault({}),
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
      defaultMaxOutputTokens: z.int().positive().default(LIMITS.defaultMaxOutputTokens),
    })
    .prefault({}),
  cors: z.strictObject({ origins: z.array(z.string()).default([]) }).prefault({}),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
export type Price = z.infer<typeof priceSchema>;
