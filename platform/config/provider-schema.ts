/** The shape of one entry of `providers` in unbroken.config.yaml. */
import { z } from 'zod';
import { keyLimitsSchema, keySchema } from './gate-schema.ts';
import { quirksSchema } from './quirks-schema.ts';

const wireFamilies = [
  'openai-responses',
  'openai-chat',
  'azure-openai',
  'anthropic-messages',
  'bedrock',
  'google',
  'cohere',
  'ai-sdk',
] as const;
export type WireFamily = (typeof wireFamilies)[number];

/** What a model or provider can do; overrides the known facts. */
export const capabilitiesSchema = z
  .strictObject({
    reattach: z.boolean(),
    prefill: z.boolean(),
    instruct: z.boolean(),
    tools: z.boolean(),
    vision: z.boolean(),
    jsonSchema: z.boolean(),
    reasoning: z.boolean(),
    sampling: z.boolean(),
    stop: z.boolean(),
  })
  .partial();

/** What vendors' examples show as the address; each call adds such a path itself. */
const CALL_PATH = /\/(chat\/completions|completions|responses|embeddings|messages)\/?$/;

/** As other gateways fill in variables. */
const VARIABLE = /\$\{|os\.environ/;
const NO_VARIABLES = 'variables are not filled in here: write the address itself';

const baseUrlSchema = z
  .url({
    error: ({ input }) =>
      VARIABLE.test(String(input)) ? NO_VARIABLES : 'expected a URL such as https://llm.example.com/v1',
  })
  .superRefine((url, context) => {
    if (VARIABLE.test(url)) context.addIssue({ code: 'custom', message: NO_VARIABLES });
    const [path] = CALL_PATH.exec(URL.parse(url)?.pathname ?? '') ?? [];
    if (path === undefined) return;
    context.addIssue({ code: 'custom', message: `leave out "${path}": each call adds its path to baseUrl` });
  });

export const providerSchema = z
  .strictObject({
    wire: z.enum(wireFamilies),
    baseUrl: baseUrlSchema.optional().describe("Absent: the vendor's own."),
    apiKeyEnv: z.string().min(1).optional().describe('The environment variable that holds the key.'),
    keys: z.array(keySchema).min(1).max(64).optional().describe('Several keys; instead of apiKeyEnv.'),
    limits: keyLimitsSchema.optional().describe('How much each key may be used; a key may have its own.'),
    /** The name under which the price package knows this provider; absent: the provider's own name. */
    pricedAs: z.string().optional(),
    /** The name under which models.dev knows this provider; absent: the provider's own name. */
    knownAs: z.string().optional(),
    capabilities: capabilitiesSchema.optional().describe('Of all models of this provider.'),
    quirks: quirksSchema.optional().describe('Where it deviates from the vendor of its wire.'),
    apiVersion: z
      .string()
      .optional()
      .describe('azure-openai, google: the version of the API, such as v1beta.'),
    region: z.string().optional().describe('bedrock: the AWS region.'),
    firstTokenMs: z
      .int()
      .positive()
      .optional()
      .describe(
        'In place of limits.firstTokenMs; five minutes for servers that load models, such as ollama.',
      ),
    betweenTokensMs: z.int().positive().optional().describe('In place of limits.betweenTokensMs.'),
    thinkingMs: z.int().positive().optional().describe('In place of limits.thinkingMs.'),
    aliveMs: z.int().positive().optional().describe('In place of limits.aliveMs.'),
    package: z.string().optional().describe('ai-sdk: the npm package, such as @ai-sdk/groq.'),
    chatCompletions: z
      .boolean()
      .optional()
      .describe(
        'openai-responses: the server also has chat completions, with the same key: fields that Responses lacks go there. Absent: true for OpenAI.',
      ),
    simulated: z
      .boolean()
      .optional()
      .describe('true: its answers and prices are made up; every list of models says so.'),
  })
  .superRefine(({ wire, baseUrl, region, package: name }, context) => {
    const need = (key: string, has: boolean) => {
      if (!has) context.addIssue({ code: 'custom', path: [key], message: `the wire ${wire} needs it` });
    };
    if (wire === 'azure-openai') need('baseUrl', baseUrl !== undefined);
    if (wire === 'bedrock') need('region', region !== undefined);
    if (wire === 'ai-sdk') need('package', name !== undefined);
  });

export type ProviderConfig = z.infer<typeof providerSchema>;
