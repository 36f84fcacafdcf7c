/** The semantic cache, by route: how it decides, how long answers are kept, and who may get them. */
import { z } from 'zod';
import { cacheModes } from '../../contracts/cache-mode.ts';
import { DAY_MS } from '../../contracts/time.ts';

const routeCacheSchema = z.strictObject(
  {
    acceptedFalseHits: z
      .number()
      .min(0.001)
      .max(0.05)
      .default(0.04)
      .describe(
        'Of questions that are close in words and want different answers, the most that may get a stored answer all the same: 0.04 is one in 25. Fewer false hits are fewer hits.',
      ),
    ttlMs: z.int().positive().default(DAY_MS).describe('How long a stored answer may be reused.'),
    judge: z.boolean().default(false).describe('Let cache.judge decide when the verifier is unsure.'),
    singleFlight: z
      .boolean()
      .default(true)
      .describe('Generations that ask the same question at the same time share one call.'),
    vendorFormats: z
      .enum(cacheModes)
      .default('off')
      .describe(
        'How chat completions, Responses and messages use the cache if their header x-unbroken-cache is absent. off: as at the vendor, each request asks the model.',
      ),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' && issue.keys.includes('threshold')
        ? '"threshold", a cosine, has become "acceptedFalseHits", a share of false hits such as 0.01'
        : undefined,
  },
);

export const cacheSchema = z.strictObject({
  embedder: z
    .enum(['auto', 'local', 'openai', 'off'])
    .default('auto')
    .describe('auto: openai where it has a key, else local; off: only the same words are a hit.'),
  verifier: z
    .enum(['learned', 'rules'])
    .default('learned')
    .describe(
      'Who decides whether two questions ask the same. learned: rules, and a model reads what they leave open. rules: they alone, for a machine without 100 MB for the model.',
    ),
  judge: z
    .strictObject({
      model: z.string().regex(/^[a-z0-9-]+\/\S+$/, 'expected provider/model, such as openai/gpt-4o-mini'),
      timeoutMs: z.int().positive().default(1_500),
    })
    .optional()
    .describe('A small model that decides when the verifier is unsure.'),
  share: z
    .enum(['user', 'tenant'])
    .default('user')
    .describe('Who may get a stored answer, or one in flight: only its user, or all users of the tenant.'),
  lookUpMs: z
    .int()
    .min(10)
    .max(60_000)
    .optional()
    .describe(
      'How long each part of a look-up may take: Qdrant, embedder, verifier. Absent: their own limits, some 150 ms.',
    ),
  warmUp: z
    .boolean()
    .default(true)
    .describe(
      'A worker loads its models before it takes runs. false: at the first question that needs them, which saves a worker that rarely uses the cache 0.8 s of processor time and 150 MB; that question may find nothing.',
    ),
  default: routeCacheSchema.prefault({}),
  routes: z
    .record(z.string(), routeCacheSchema)
    .default({})
    .describe('Settings of a route in place of the default.'),
});
