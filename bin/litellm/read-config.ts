/**
 * The parts of a LiteLLM proxy config that can be converted. Everything else is kept by name, to report it.
 * Source: docs.litellm.ai/docs/proxy/config_settings.
 */
import { parse } from 'yaml';
import { z } from 'zod';

/** A model, or one with other parameters: `{ model: "claude", messages: [...] }`. */
const fallback = z.union([z.string(), z.looseObject({ model: z.string() })]);
const names = z.preprocess(
  (value) => (typeof value === 'string' ? [value] : (value ?? [])),
  z.array(fallback),
);
/** `[{ "gpt-4o": ["claude", "gemini"] }]` */
const fallbacks = z
  .array(z.record(z.string(), names))
  .nullish()
  .transform((list) => list ?? []);

/** YAML reads a setting without a value as null. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => value ?? undefined, schema.optional());
const text = optional(z.string());
/** Also `yes` and `on` of YAML 1.1. */
const flag = optional(z.union([z.boolean(), z.stringbool()]));
const count = optional(z.coerce.number().positive());
const price = optional(z.coerce.number().nonnegative());
const prices = {
  input_cost_per_token: price,
  output_cost_per_token: price,
  cache_read_input_token_cost: price,
  cache_creation_input_token_cost: price,
  cache_creation_input_token_cost_above_1hr: price,
  input_cost_per_audio_token: price,
  output_cost_per_image_token: price,
};

export type PriceName = keyof typeof prices;

const paramsSchema = z.looseObject({
  model: z.string(),
  api_base: text,
  api_key: text,
  api_version: text,
  aws_region_name: text,
  rpm: count,
  tpm: count,
  weight: optional(z.coerce.number().nonnegative()),
  ...prices,
});
const infoSchema = z.looseObject({
  mode: text,
  max_input_tokens: count,
  max_output_tokens: count,
  ...prices,
  supports_vision: flag,
  supports_function_calling: flag,
});
/** LiteLLM takes limits of a deployment in both places. */
const deploymentSchema = z
  .looseObject({
    model_name: z.string(),
    litellm_params: paramsSchema,
    model_info: optional(infoSchema),
    rpm: count,
    tpm: count,
  })
  .transform(({ rpm, tpm, ...rest }) => {
    const { litellm_params: params } = rest;
    return { ...rest, litellm_params: { ...params, rpm: params.rpm ?? rpm, tpm: params.tpm ?? tpm } };
  });
export type LiteLlmDeployment = z.output<typeof deploymentSchema>;

/** Facts of a model that say nothing here. */
const SILENT = ['id', 'description', 'litellm_provider', 'db_model', 'base_model'];

/** The settings of a deployment that nothing here reads, as `litellm_params.timeout`. */
export function unreadSettings({
  litellm_params: params,
  model_info: info = {},
  ...rest
}: LiteLlmDeployment): string[] {
  const unread = (section: string, settings: object, known: object) =>
    Object.keys(settings)
      .filter((name) => !Object.hasOwn(known, name) && !SILENT.includes(name))
      .map((name) => `${section}${name}`);
  return [
    ...unread('', rest, { model_name: true }),
    ...unread('litellm_params.', params, paramsSchema.shape),
    ...unread('model_info.', info, infoSchema.shape),
  ];
}

const routingSchema = z.looseObject({
  fallbacks,
  context_window_fallbacks: fallbacks,
  content_policy_fallbacks: fallbacks,
  default_fallbacks: names,
});

/** A section may be absent, or empty, which YAML reads as null. */
const section = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((settings) => settings ?? {}, schema);

const configSchema = z.looseObject({
  model_list: z.array(deploymentSchema).min(1),
  litellm_settings: section(
    routingSchema.extend({
      max_internal_user_budget: price,
      internal_user_budget_duration: text,
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
  // PyYAML reads YAML 1.1, which has merge keys.
  const result = configSchema.safeParse(parse(text, { merge: true }));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`This is no config of LiteLLM's proxy: ${issue?.path.join('.')}: ${issue?.message}`);
}
