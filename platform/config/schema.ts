/** The shape of unbroken.config.yaml. Every key has a default; an unknown key is an error. */
import { z } from 'zod';
import {
  type BudgetLimit,
  budgetLimitSchema,
  nameOfBudget,
  timeZoneSchema,
} from '../../contracts/budgets.ts';
import { compressionEngines, compressionSchema } from '../../contracts/compression.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { promptCachingModes } from '../../contracts/prompt-caching.ts';
import { DAY_MS } from '../../contracts/time.ts';
import { archiveSchema } from './archive-schema.ts';
import { batchesSchema, filesSchema } from './batch-schema.ts';
import { cacheSchema } from './cache-schema.ts';
import { breakerSchema } from './gate-schema.ts';
import { workerSilentMsSchema } from './lease-schema.ts';
import { objectStoreSchema } from './object-store-schema.ts';
import { outputSchema } from './output-schema.ts';
import { capabilitiesSchema, providerSchema } from './provider-schema.ts';
import { qdrantSchema } from './qdrant-schema.ts';
import { redisSchema } from './redis-schema.ts';
import { retentionSchema } from './retention-schema.ts';
import { routeSchema } from './route-schema.ts';

export type { ProviderConfig, WireFamily } from './provider-schema.ts';

const microUsd = z.int().nonnegative();

const origin = z
  .string()
  .regex(/^(\*|https?:\/\/[^/\s]+)$/, 'expected an origin such as https://app.example.com, without a path');

const priceSchema = z.strictObject({
  inputMicroUsdPerMillion: microUsd,
  outputMicroUsdPerMillion: microUsd,
  cachedInputMicroUsdPerMillion: microUsd.optional().describe('As input if absent.'),
  cacheWriteMicroUsdPerMillion: microUsd.optional().describe('As input if absent.'),
  cacheWriteHourMicroUsdPerMillion: microUsd
    .optional()
    .describe('For what is kept for an hour. Twice the input if absent, if cache writes have a price.'),
  inputAudioMicroUsdPerMillion: microUsd.optional().describe('For spoken input. As input if absent.'),
  outputImageMicroUsdPerMillion: microUsd
    .optional()
    .describe('For pictures in an answer. As output if absent.'),
});

const modelSchema = z.strictObject({
  contextWindow: z.int().positive().optional(),
  maxOutputTokens: z.int().positive().optional(),
  capabilities: capabilitiesSchema.optional(),
});

/** Which engine shortens long contexts, and on which routes. */
const compressionConfigSchema = z
  .strictObject({
    engine: z.enum(compressionEngines).default('built-in'),
    ranking: z
      .enum(['meaning', 'words'])
      .default('meaning')
      .describe('built-in: by words and a small English model (10 ms a sentence), or by words alone.'),
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

/** How the vendors' prompt caches are used. Keys of `routes` are names of routes. */
const promptCachingSchema = z.strictObject({
  default: z
    .enum(promptCachingModes)
    .default('5m')
    .describe(
      'How long Anthropic keeps a prompt for the next call. off: requests get no cache marks and no cache key of ours.',
    ),
  routes: z.record(z.string(), z.enum(promptCachingModes)).default({}),
});

/** Of two limits with one name, the later one would replace the other. */
function refuseSecondLimits(limits: readonly BudgetLimit[], context: z.RefinementCtx): void {
  const places = new Map<string, number>();
  for (const [place, limit] of limits.entries()) {
    const name = nameOfBudget(limit);
    const first = places.get(name);
    if (first === undefined) places.set(name, place);
    else {
      const message = `${name} has a limit already, limits.${first}; keep one (it warns at its share, warnAt, and refuses at its amount)`;
      context.addIssue({ code: 'custom', path: [place], message });
    }
  }
}

const budgetsSchema = z.strictObject({
  timeZone: timeZoneSchema
    .default('UTC')
    .describe('The time zone of days and months, if a limit names none.'),
  /** For every tenant; limits that are set by the API or CLI override these. */
  limits: z.array(budgetLimitSchema).max(1_000).superRefine(refuseSecondLimits).default([]),
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }),
      secretEnv: z.string().min(1).describe('The environment variable that holds the secret for signatures.'),
      allowPrivateNetwork: z.boolean().default(false),
    })
    .optional()
    .describe('Receives a warning when a budget passes its warning share.'),
  /** Entries of the ledger. The longest window is 31 days, and a balance must be the sum of the stored entries. */
  keepEntriesDays: z.int().min(40).max(3_660).default(100),
  keepUsageDays: z
    .int()
    .min(1)
    .max(3_660)
    .default(400)
    .describe('How long usage by day, user, team, model and prompt is kept.'),
});

export const configSchema = z.strictObject({
  providers: z.record(z.string().regex(/^[a-z0-9-]+$/), providerSchema).default({}),
  routes: z.record(z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/), routeSchema).default({}),
  breaker: breakerSchema.prefault({}),
  /** Prices of `provider/model`; they override those of the price package. */
  prices: z.record(z.string(), priceSchema).default({}),
  /** Facts of `provider/model`; they override those of the data packages, and list models that these do not know. */
  models: z.record(z.string().regex(/^[a-z0-9-]+\/\S+$/), modelSchema).default({}),
  budgets: budgetsSchema.prefault({}),
  cache: cacheSchema.prefault({}),
  qdrant: qdrantSchema.prefault({}),
  retention: retentionSchema.prefault({}),
  objectStore: objectStoreSchema.optional(),
  archive: archiveSchema.optional(),
  files: filesSchema.prefault({}),
  batches: batchesSchema.prefault({}),
  storage: z
    .strictObject({
      bytesPerTenant: z
        .int()
        .min(LIMITS.requestBodyBytes)
        .nullable()
        .default(DEFAULTS.storedBytesPerTenant)
        .describe('Inputs and prompts that a tenant keeps in Redis; null: no limit'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      connectMs: z.int().positive().default(DEFAULTS.connectMs),
      firstTokenMs: z.int().positive().default(DEFAULTS.firstTokenMs),
      betweenTokensMs: z.int().positive().default(DEFAULTS.betweenTokensMs),
      thinkingMs: z
        .int()
        .positive()
        .default(DEFAULTS.thinkingMs)
        .describe('How long a reasoning model may be silent before its first token and between tokens.'),
      aliveMs: z
        .int()
        .positive()
        .default(DEFAULTS.aliveMs)
        .describe('How long a provider may send nothing but signs of life, such as pings.'),
      generationMs: z
        .int()
        .positive()
        .max(LIMITS.maxGenerationMs, {
          error: `expected at most ${LIMITS.maxGenerationMs} (${LIMITS.maxGenerationMs / DAY_MS} days): a log that has not ended is dropped after ${LIMITS.openLogTtlMs / DAY_MS} days.`,
        })
        .default(DEFAULTS.generationMs),
      heartbeatMs: z
        .int()
        .positive()
        .default(DEFAULTS.relayHeartbeatMs)
        .describe(
          'After this silence the API sends a heartbeat; keep it below the idle limit of every proxy',
        ),
      statusHeldMs: z
        .int()
        .nonnegative()
        .optional()
        .describe(
          'How long the status of a stream waits for the first content, so that an error before it can be the status; then 200 and heartbeats. Absent: twice heartbeatMs.',
        ),
      frameMs: z
        .int()
        .min(0)
        .max(1_000)
        .default(DEFAULTS.frameMs)
        .describe(
          'Tokens that arrive within this time enter the log and reach each reader together; the first one and the end never wait. 0: each leaves as soon as the one before it has.',
        ),
      redisAnswerMs: z
        .int()
        .min(100)
        .max(60_000)
        .default(DEFAULTS.redisAnswerMs)
        .describe('How long Redis may take for a command; then the request gets a 503'),
      workerSilentMs: workerSilentMsSchema,
      defaultMaxOutputTokens: z
        .int()
        .positive()
        .default(DEFAULTS.maxOutputTokens)
        .describe(
          'Reserved for the output of a request without a cap. It is the cap only where a hard budget applies, or a model needs one and its own is unknown.',
        ),
    })
    .prefault({}),
  submit: z
    .strictObject({
      waitForTemporalMs: z
        .int()
        .positive()
        .max(60_000)
        .default(DEFAULTS.waitForTemporalMs)
        .describe('How long a request waits if Temporal does not answer; then it gets a 503'),
    })
    .prefault({}),
  output: outputSchema.prefault({}),
  compression: compressionConfigSchema.prefault({}),
  promptCaching: promptCachingSchema.prefault({}),
  wires: z
    .strictObject({
      holdRoutes: z
        .array(z.string())
        .default([])
        .describe(
          'Chat completions and messages send the text of these routes only when it can no longer be voided.',
        ),
      maxChoices: z
        .int()
        .positive()
        .max(LIMITS.choices)
        .default(LIMITS.choices)
        .describe('Highest `n` of chat completions: each choice is a generation.'),
      onClientAbort: z
        .enum(['continue', 'cancel'])
        .default('continue')
        .describe('What happens to a generation when the connection that started it breaks.'),
      clientAbortGraceMs: z
        .int()
        .positive()
        .default(30_000)
        .describe('With `cancel`: the grace period in which a reader may reconnect.'),
      joinRetriesMs: z
        .int()
        .nonnegative()
        .default(60_000)
        .describe(
          'How long after its end a generation is still the answer to a retry of an official client. It joins a running one in any case.',
        ),
    })
    .prefault({}),
  webhooks: z
    .strictObject({
      allowPrivateNetwork: z
        .boolean()
        .default(false)
        .describe(
          'Webhooks may name private addresses, and http. A user of the API could then reach your network.',
        ),
    })
    .prefault({}),
  redis: redisSchema.prefault({}),
  /** Pages of these origins may call the API; "*": all. */
  cors: z.strictObject({ origins: z.array(origin).default([]) }).prefault({}),
  rateLimits: z
    .strictObject({
      requestsPerMinute: z
        .int()
        .positive()
        .nullable()
        .default(DEFAULTS.requestsPerMinute)
        .describe('Of one key; null: no limit'),
      connectionsPerKey: z
        .int()
        .positive()
        .default(DEFAULTS.connectionsPerKey)
        .describe('Open at once at one API process'),
      bytesInFlightPerKey: z
        .int()
        .min(LIMITS.requestBodyBytes)
        .default(DEFAULTS.bytesInFlightPerKey)
        .describe('Unprocessed bodies and frames of one key that one API process may hold'),
    })
    .prefault({}),
  http: z
    .strictObject({
      bodyBytes: z
        .int()
        .min(LIMITS.largeBodyBytes)
        .max(LIMITS.mostBodyBytes)
        .default(DEFAULTS.bodyBytes)
        .describe('Largest JSON body or frame of a request'),
      jsonValues: z
        .int()
        .min(1_000)
        .max(LIMITS.mostJsonValues)
        .default(LIMITS.jsonValues)
        .describe('Values of a JSON body: what it takes to check one grows with them'),
      headersMs: z.int().positive().default(DEFAULTS.headersMs).describe('For all header lines of a request'),
      requestMs: z.int().positive().default(DEFAULTS.requestMs).describe('For a whole request with its body'),
      keepAliveMs: z
        .int()
        .positive()
        .default(DEFAULTS.keepAliveMs)
        .describe('Longer than a proxy keeps idle connections'),
      connections: z.int().positive().default(DEFAULTS.connections).describe('Of one API process'),
      bytesInFlight: z
        .int()
        .min(LIMITS.requestBodyBytes)
        .default(DEFAULTS.bytesInFlight)
        .describe(
          'Unprocessed bodies and frames that one API process may hold; beyond it, the response is 503',
        ),
      drainMs: z
        .int()
        .positive()
        .default(DEFAULTS.drainMs)
        .describe('After SIGTERM: how long requests that no other process can resume may still run'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      drainMs: z
        .int()
        .nonnegative()
        .max(LIMITS.workerDrainMs)
        .default(DEFAULTS.workerDrainMs)
        .describe(
          'After SIGTERM: how long running streams may still end here; then other workers resume them',
        ),
      maxStreams: z
        .int()
        .positive()
        .max(LIMITS.workerStreams)
        .default(DEFAULTS.workerStreams)
        .describe("Streams that one worker runs at once; more wait in Temporal's queue"),
    })
    .prefault({}),
  encryption: z
    .strictObject({
      uiOrigins: z.array(origin).default([]).describe('Origins of the Temporal UI, beside TEMPORAL_UI_URL'),
    })
    .prefault({}),
});

export type ConfigFile = z.infer<typeof configSchema>;
export type CompressionConfig = ConfigFile['compression'];
export type Price = z.infer<typeof priceSchema>;
