/**
 * Fields of chat completions by which clients set how much a model thinks, besides `reasoning_effort`. Their own
 * vendors get them as they are; for every other provider they become the effort of our own format. Sources: OpenRouter,
 * "Reasoning tokens"; DeepSeek, "Thinking mode"; Alibaba, "Deep thinking"; vLLM, "Reasoning outputs".
 */
import type { NativeRequest } from '../../contracts/content.ts';
import { type GenerationInput, reasoningEfforts } from '../../contracts/generation.ts';
import { isJsonObject } from '../../contracts/json.ts';
import { effortOfBudget } from '../../contracts/reasoning-budget.ts';
import type { ProviderConfig } from '../../platform/config/schema.ts';

type Reasoning = NonNullable<GenerationInput['reasoning']>;
type Called = Pick<ProviderConfig, 'wire' | 'quirks'>;

const OFF: Reasoning = { effort: 'none', thinks: false };
const ON: Reasoning = { effort: 'medium' };
const DIALECTS = ['reasoning', 'thinking', 'enable_thinking'] as const;
type Dialect = (typeof DIALECTS)[number];

/** The input as this provider takes it. */
export function withOwnDialect(input: GenerationInput, { wire, quirks = {} }: Called): GenerationInput {
  const { native, reasoning } = input;
  if (native?.format !== 'openai-chat' || !DIALECTS.some((name) => name in native.fields)) return input;
  const isChat = wire === 'openai-chat' || wire === 'azure-openai';
  if (isChat && !isKnown(wire, quirks)) return input;
  const foreign = isChat ? DIALECTS.filter((name) => name in native.fields && name !== ownOf(quirks)) : [];
  const kept = foreign.length === 0 ? native : withoutFields(native, foreign);
  const isOwn = isChat && DIALECTS.some((name) => name in kept.fields);
  const wanted = reasoning ?? (isOwn ? undefined : reasoningIn(native));
  return { ...input, native: kept, ...(wanted === undefined ? {} : { reasoning: wanted }) };
}

/** Whether it is known which of these fields the server takes. */
function isKnown(wire: Called['wire'], quirks: NonNullable<Called['quirks']>): boolean {
  const { vendorRules = wire === 'azure-openai', reasoningEffort, messageFields } = quirks;
  return vendorRules || reasoningEffort !== undefined || messageFields !== undefined;
}

function ownOf({ reasoningEffort }: NonNullable<Called['quirks']>): Dialect | null {
  if (reasoningEffort === 'reasoning-object') return 'reasoning';
  return reasoningEffort === 'thinking-switch' || reasoningEffort === 'switch-and-effort' ? 'thinking' : null;
}

function withoutFields(native: NativeRequest, names: readonly string[]): NativeRequest {
  const fields = Object.entries(native.fields).filter(([name]) => !names.includes(name));
  return { ...native, fields: Object.fromEntries(fields) };
}

function reasoningIn({ fields }: NativeRequest): Reasoning | undefined {
  const { reasoning, thinking, enable_thinking: isEnabled } = fields;
  if (isJsonObject(reasoning)) {
    const { effort, enabled, max_tokens: budget } = reasoning;
    if (enabled === false || effort === 'none') return OFF;
    const own = reasoningEfforts.find((name) => name === effort);
    if (own !== undefined) return { effort: own };
    if (typeof budget === 'number') return { effort: effortOfBudget(budget) };
    if (enabled === true) return ON;
  }
  if (isJsonObject(thinking)) {
    const { type, budget_tokens: budget } = thinking;
    if (type === 'disabled') return OFF;
    return typeof budget === 'number' ? { effort: effortOfBudget(budget) } : ON;
  }
  if (isEnabled === false) return OFF;
  return isEnabled === true ? ON : undefined;
}
