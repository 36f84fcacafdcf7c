/**
 * Maps the usage of chat completions, as OpenAI and the vendors that speak its format report it. OpenAI counts
 * reasoning within `completion_tokens`. xAI, and Gemini in this format, count it beside them: then `total_tokens`
 * exceeds the sum.
 */
import { inputTokensOf, outputTokensOf, type Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

export interface OpenAiChatUsage {
  readonly prompt_tokens?: number | null;
  readonly completion_tokens?: number | null;
  readonly total_tokens?: number | null;
  /** The names of Responses, which some gateways pass on. */
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  /** SGLang: within the completion. Perplexity: beside it. */
  readonly reasoning_tokens?: number | null;
  readonly prompt_tokens_details?: {
    readonly cached_tokens?: number | null;
    readonly audio_tokens?: number | null;
    readonly cached_tokens_details?: { readonly audio_tokens?: number | null } | null;
    readonly cache_write_tokens?: number | null;
    /** Alibaba. */
    readonly cache_creation_input_tokens?: number | null;
  } | null;
  readonly completion_tokens_details?: {
    readonly reasoning_tokens?: number | null;
    /** OpenRouter. */
    readonly image_tokens?: number | null;
  } | null;
  /** DeepSeek. */
  readonly prompt_cache_hit_tokens?: number | null;
  /** Moonshot. */
  readonly cached_tokens?: number | null;
  /** Mistral. */
  readonly num_cached_tokens?: number | null;
  /** Of Claude, by LiteLLM. */
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
}

export function mapOpenAiChatUsage(usage: OpenAiChatUsage | undefined | null): Usage | null {
  if (!usage) return null;
  const input = largest(usage.prompt_tokens, usage.input_tokens) + cachedBeside(usage);
  const output = largest(usage.completion_tokens, usage.output_tokens);
  const reasoning = count(usage.reasoning_tokens);
  const beside = Math.max(0, count(usage.total_tokens) - input - output, reasoning > output ? reasoning : 0);
  const details = usage.prompt_tokens_details;
  return disjointUsage({
    input,
    audio: count(details?.audio_tokens) - count(details?.cached_tokens_details?.audio_tokens),
    cached: largest(
      details?.cached_tokens,
      usage.prompt_cache_hit_tokens,
      usage.cached_tokens,
      usage.num_cached_tokens,
      usage.cache_read_input_tokens,
    ),
    written: largest(
      details?.cache_write_tokens,
      details?.cache_creation_input_tokens,
      usage.cache_creation_input_tokens,
    ),
    output: output + beside,
    image: usage.completion_tokens_details?.image_tokens,
    reasoning: Math.max(beside, reasoning, count(usage.completion_tokens_details?.reasoning_tokens)),
  });
}

/** The newest report. What it counts as nothing is as reported before: some gateways report input and output apart. */
export function completedBy(before: Usage | null, reported: Usage): Usage {
  if (before === null) return reported;
  const [input, output] = [inputTokensOf(reported), outputTokensOf(reported)];
  const { outputTokens, reasoningTokens } = output === 0 ? before : reported;
  return { ...(input === 0 ? before : reported), outputTokens, reasoningTokens };
}

/**
 * Gateways in front of Claude pass its counts on, in which the prompt is what was not cached. Others that have its
 * names count them within the prompt; then the total says so.
 */
function cachedBeside(usage: OpenAiChatUsage): number {
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  const cached = count(usage.cache_read_input_tokens) + count(usage.cache_creation_input_tokens);
  const [input, output] = [count(prompt_tokens), count(completion_tokens)];
  return cached > input || count(total_tokens) === input + cached + output ? cached : 0;
}

/** The same number has several names, and some of them are 0. */
function largest(...counts: readonly (number | null | undefined)[]): number {
  return Math.max(0, ...counts.map(count));
}
