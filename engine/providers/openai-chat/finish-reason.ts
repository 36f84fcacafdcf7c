/** The reasons of chat completions, as OpenAI and the vendors that speak its format write them. */
import type { FinishReason } from '../../../contracts/generation.ts';
import { isFilter } from '../answer-state.ts';

export const KNOWN_REASONS: ReadonlySet<string> = new Set([
  'stop',
  'length',
  'tool_calls',
  'function_call',
  'content_filter',
  'refusal',
]);

/** The server gave up: OpenRouter, Zhipu, vLLM and SGLang, and gateways in front of others. */
export const FAILED =
  /^(?:error|failed|abort(?:ed)?|cancel?led|timeout|(?:network|connection|upstream|server|engine|internal)[ _-]?error)$/i;

/** Mistral, Zhipu, watsonx, TGI, and the vendors whose own words gateways pass on. */
const AT_LIMIT =
  /^(?:length|model_length|max_(?:output_|new_)?tokens|token_limit|max_length|(?:model_)?context_(?:window|length)_exceeded)$/i;

/** A reason that is not known is an end all the same. */
export function mapOpenAiChatFinishReason(reason: string): FinishReason {
  if (/^(?:tool_calls?|tool_use|function_call)$/i.test(reason)) return 'tool-calls';
  if (AT_LIMIT.test(reason)) return 'length';
  if (reason === 'refusal') return 'refusal';
  return isFilter(reason) ? 'content-filter' : 'stop';
}
