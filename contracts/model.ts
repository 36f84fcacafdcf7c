/** What is known of a model: what it can do, how much it takes, what it costs. */
import { z } from 'zod';

const known = z.boolean().nullable();

/** null: not known. Only what is known to be missing is refused; what is not known is tried. */
export const modelCapabilitiesSchema = z.object({
  tools: known,
  vision: known.describe('Images in the input.'),
  jsonSchema: known.describe('An answer that fits a JSON Schema.'),
  reasoning: known.describe('Thinks before it answers; takes `reasoning`.'),
  sampling: known.describe('Takes `temperature` and `topP`.'),
  stop: known.describe('Takes `stop`.'),
  prefill: z.boolean().describe('An interrupted answer resumes as the prefilled turn of the assistant.'),
  reattach: z
    .boolean()
    .describe('An interrupted answer resumes by reattaching to it; nothing is paid twice.'),
  instruct: z.boolean().describe('An interrupted answer resumes by an instruction to continue.'),
});
export type ModelCapabilities = z.infer<typeof modelCapabilitiesSchema>;

const microUsdPerMillion = z.int().nonnegative();

const modelPriceSchema = z.object({
  input: microUsdPerMillion,
  cachedInput: microUsdPerMillion,
  cacheWrite: microUsdPerMillion,
  output: microUsdPerMillion,
});
/** Micro-USD per million tokens, before any tier by size of the input. */
export type ModelPrice = z.infer<typeof modelPriceSchema>;

export interface ModelFacts {
  /** Tokens of input and output together; null if no source says. */
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
  readonly capabilities: ModelCapabilities;
}

/** One entry of `GET /v1/models`; `id`, `object` and `owned_by` are OpenAI's, so that its clients can read the list. */
export const modelViewSchema = z.object({
  id: z.string().describe('provider/model or unbroken/route, as a request names it.'),
  object: z.literal('model'),
  owned_by: z.string().describe('The provider; unbroken for a route.'),
  created: z.int().describe('When it was released, in seconds since 1970; 0 if no source says.'),
  name: z.string().describe('As a person reads it.'),
  available: z.boolean().describe('Whether the key of the provider is set here.'),
  simulated: z.boolean().describe('Whether its answers and its price are made up, for a first look.'),
  contextWindow: z.int().nullable(),
  maxOutputTokens: z.int().nullable(),
  priceMicroUsdPerMillion: modelPriceSchema.nullable(),
  capabilities: modelCapabilitiesSchema,
});
export type ModelView = z.infer<typeof modelViewSchema>;
