/** The shape of unbroken.config.yaml. Every key has a default; an unknown key is an error. */
import { z } from 'zod';
import { budgetLimitSchema, timeZoneSchema } from '../contracts/budgets.ts';
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

const priceSchema = z.strictObject({
  inputMicroUsdPerMillion: z.int().nonnegative(),
  outputMicroUsdPerMillion: z.int().nonnegative(),
});

const budgetsSchema = z.strictObject({
  timeZone: timeZoneSchema.default('UTC').describe('Of day and month, where a limit names none.'),
  /** For every tenant; what is set by the API or CLI goes before. */
  limits: z.array(budgetLimitSchema).max(1_000).default([]),
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }),
      secretEnv: z.string().min(1).describe('The environment variable that holds the secret for signatures.'),
      allowPrivateNetwork: z.boolean().default(false),
    })
    .optional()
    .describe('Is told when a budget passes its warning share.'),
  /** Entries of the ledger; the longest window is 31 days, and a balance must be the sum of what is kept. */
  keepEntriesDays: z.int().min(40).max(3_660).default(100),
});

export const configSchema = z.strictObject({
  providers: z.record(z.string().regex(/^[a-z0-9-]+$/), providerSchema).default({}),
  routes: z.record(z.string(), z.array(candidateSchema).min(1).max(16)).default({}),
  /** Prices of `provider/model`, over those of the price package. */
  prices: z.record(z.string(), priceSchema).default({}),
  budgets: budgetsSchema.prefault({}),
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
