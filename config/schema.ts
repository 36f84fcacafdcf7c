/** The shape of unbroken.config.yaml. Every key has a default; an unknown key is an error. */
import { z } from 'zod';
import { compressionEngines, compressionSchema } from '../contracts/compression.ts';
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

const CONCISE =
  'Answer as briefly as the question allows: no preamble, no repetition of the question, no closing remarks.';

/** How long answers may be. Keys of `routes` are names of routes. */
const outputSchema = z.strictObject({
  routes: z
    .record(
      z.string(),
      z.strictObject({
        maxOutputTokens: z.int().min(1).max(LIMITS.maxOutputTokens).optional(),
        concise: z
          .union([z.literal(true).transform(() => CONCISE), z.string().min(1).max(2_000)])
          .optional()
          .describe('An instruction that is added to the system prompt; true: a short one of ours.'),
      }),
    )
    .default({}),
  learn: z
    .strictObject({
      minAnswers: z.int().min(20).default(100),
      margin: z.number().min(1.1).max(10).default(1.5),
    })
    .nullable()
    .prefault({})
    .describe('The cap of a named prompt: p99 of its answers so far, times the margin. null: not learnt.'),
});

/** Who shortens long contexts, and on which routes. */
const compressionConfigSchema = z
  .strictObject({
    engine: z.enum(compressionEngines).default('built-in'),
    llmlingua2: z
      .strictObject({
        model: z.string().min(1).describe('A folder with the model in ONNX and its tokenizer.'),
        family: z.enum(['bert', 'xlm-roberta']).default('bert'),
        dtype: z.enum(['fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4']).default('fp32'),
      })
      .optional(),
    routes: z.record(z.string(), compressionSchema).default({}),
  })
  .refine(({ engine, llmlingua2 }) => engine !== 'llmlingua-2' || llmlingua2 !== undefined, {
    path: ['llmlingua2'],
    message: 'the engine llmlingua-2 needs the folder of its model: compression.llmlingua2.model',
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
      defaultMaxOutputTokens: z.int().positive().default(LIMITS.defaultMaxOutputTokens),
    })
    .prefault({}),
  output: outputSchema.prefault({}),
  compression: compressionConfigSchema.prefault({}),
  cors: z.strictObject({ origins: z.array(z.string()).default([]) }).prefault({}),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
export type CompressionConfig = ConfigFile['compression'];
export type Price = z.infer<typeof priceSchema>;
