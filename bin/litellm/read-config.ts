/**
 * The parts of a LiteLLM proxy config that can be converted. Everything else is kept by name, to report it.
 * Source: docs.litellm.ai/docs/proxy/config_settings.
 */
import { parse } from 'yaml';
import { z } from 'zod';

const names = z.array(z.string());
/** `[{ "gpt-4o": ["claude", "gemini"] }]` */
const fallbacks = z.array(z.record(z.string(), names)).default([]);
const positive = z.coerce.number().positive();

const deploymentSchema = z.looseObject({
  model_name: z.string(),
  litellm_params: z.looseObject({
    model: z.string(),
    api_base: z.string().optional(),
    api_key: z.string().optional(),
    api_version: z.string().optional(),
    aws_region_name: z.string().optional(),
    rpm: positive.optional(),
    tpm: positive.optional(),
    weight: positive.optional(),
    input_cost_per_token: z.coerce.number().nonnegative().optional(),
    output_cost_per_token: z.coerce.number().nonnegative().optional(),
  }),
  model_info: z
    .looseObject({
      max_input_tokens: positive.optional(),
      max_output_tokens: positive.optional(),
      input_cost_per_token: z.coerce.number().nonnegative().optional(),
      output_cost_per_token: z.coerce.number().nonnegative().optional(),
      supports_vision: z.boolean().optional(),
      supports_function_calling: z.boolean().optional(),
    })
    .optional(),
});
export type LiteLlmDeployment = z.output<typeof deploymentSchema>;

const routingSchema = z.looseObject({
  fallbacks,
  context_window_fallbacks: fallbacks,
  content_policy_fallbacks: fallbacks,
  default_fallbacks: names.default([]),
});

/** A section may be absent, or empty, which YAML reads as null. */
const section = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((settings) => settings ?? {}, schema);

const configSchema = z.looseObject({
  model_list: z.array(deploymentSchema).min(1),
  litellm_settings: section(
    routingSchema.extend({
      max_internal_user_budget: positive.optional(),
      internal_user_budget_duration: z.string().optional(),
    }),
  ),
  router_settings: section(
    routingSchema.extend({
      routing_strategy: z.string().optional(),
      model_group_alias: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
});
export type LiteLlmConfig = z.output<typeof configSchema>;

/** Throws, with the path of the first fault, if the text is no config of LiteLLM's proxy. */
export function readLiteLlmConfig(text: string): LiteLlmConfig {
  const result = configSchema.safeParse(parse(text));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`This is no config of LiteLLM's proxy: ${issue?.path.join('.')}: ${issue?.message}`);
}
