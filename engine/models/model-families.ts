/**
 * The abilities of model families, by name. They override the data package, which is a snapshot: a newer model has the
 * abilities of its family. Later rows win. A name may have a reseller's prefix (`anthropic/`, `us.anthropic.`).
 */
import type { ModelCapabilities } from '../../contracts/model.ts';

type KnownCapabilities = Partial<ModelCapabilities>;

const MODERN = { tools: true, vision: true, jsonSchema: true } as const;
const THINKS = { reasoning: true, sampling: false } as const;

export const MODEL_FAMILIES: readonly (readonly [RegExp, KnownCapabilities])[] = [
  // OpenAI: "Reasoning models" and the pages of its models.
  [/^o[134](-|$)/, { ...MODERN, ...THINKS, stop: false }],
  [/^o1-(mini|preview)/, { tools: false, vision: false, jsonSchema: false }],
  [/^o3-mini/, { vision: false }],
  [/^gpt-[5-9](?![\d.]*-chat)/, { ...MODERN, ...THINKS, stop: false }],
  [/^gpt-[5-9][\d.]*-chat/, { ...MODERN, reasoning: false, sampling: true }],
  [/^(gpt-chat|chatgpt)/, { reasoning: false, sampling: true }],
  [/^gpt-4(o|\.1)/, { ...MODERN, reasoning: false, sampling: true }],
  [/^gpt-4-turbo/, { tools: true, vision: true, jsonSchema: false, reasoning: false }],
  [/^gpt-(3\.5|4$|4-\d|4-32k)/, { tools: true, vision: false, jsonSchema: false, reasoning: false }],
  [/gpt-oss/, { tools: true, vision: false, reasoning: true }],
  // Google: "Gemini models", "Thinking".
  [/gemini-(1\.5|[2-9])/, { ...MODERN }],
  [/gemini-(2\.5|[3-9])/, { reasoning: true }],
  [/gemini-(1\.5|2\.0)/, { reasoning: false }],
  // Cohere: "Models", "Image inputs", "Reasoning".
  [/^command-(a|r)/, { tools: true, jsonSchema: true, vision: false, reasoning: false }],
  [/^command-a-vision/, { tools: false, vision: true }],
  [/^command-a-reasoning/, { reasoning: true }],
  // Others, on any host.
  [/deepseek-(reasoner|r1)/i, { reasoning: true, vision: false }],
  [/deepseek-(chat|v3)/i, { vision: false }],
  [/grok-(4|3-mini|code)/, { reasoning: true }],
  [/^mistral-(small-(latest|26\d\d)|medium-(3[-.]5|26\d\d)|large-4)/, { reasoning: true }],
  [/(llama-3\.[13]|mixtral|ministral|mistral-nemo|codestral)/i, { vision: false }],
];

/**
 * The version of a Claude model times ten, such as 45: claude-sonnet-4-5-20250929, claude-3-7-sonnet, claude-opus-5.
 */
export function claudeVersion(model: string): number | null {
  if (!model.includes('claude')) return null;
  const named = /claude-(?:[a-z]+-)?(\d)(?:[-.](\d))?(?!\d)/.exec(model);
  if (named === null) return null;
  return Number(named[1]) * 10 + Number(named[2] ?? 0);
}

/**
 * Claude by version. Sources: Anthropic's "Migration guide" (4.6: no prefill, adaptive thinking; 4.7: no sampling),
 * "Extended thinking" (3.7 on) and "Structured outputs" (4.5 on).
 */
export function claudeCapabilities(model: string): KnownCapabilities {
  const version = claudeVersion(model);
  if (version === null) return {};
  return {
    tools: version >= 30,
    vision: version >= 30,
    jsonSchema: version >= 45,
    reasoning: version >= 37,
    sampling: version <= 46,
    prefill: version <= 45,
    stop: true,
  };
}

/** The name of a model without the prefix of a reseller or a region. */
export function plainName(model: string): string {
  return model
    .slice(model.lastIndexOf('/') + 1)
    .replace(/^(?:[a-z]{2,6}\.)?(?:anthropic|amazon|cohere|meta)\./, '');
}
