/**
 * A choice that forces a tool, at models that refuse one while they think: DeepSeek's, Moonshot's, and others that
 * think where a request says nothing of it. What a client demands counts more than thoughts, so the same request leaves
 * once more with the thinking turned off. The vendor bills nothing for a request that it refuses. Sources: their errors
 * ("Thinking mode does not support this tool_choice", "tool_choice 'required' is incompatible with thinking enabled").
 */
import { badRequestWords } from '../http-errors.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import type { ChatRequest } from './request.ts';

const REFUSED = /\btool_choice\b.{0,80}\bthinking\b|\bthinking\b.{0,80}\btool_choice\b/i;

/** null where the words say nothing of it, or the server has no switch. */
export function withForcedTool(
  error: unknown,
  request: ChatRequest,
  quirks: ProviderSettings['quirks'],
): ChatRequest | null {
  const hasSwitch =
    quirks?.reasoningEffort === 'thinking-switch' || quirks?.reasoningEffort === 'switch-and-effort';
  const isOff = request.thinking?.type === 'disabled';
  if (!hasSwitch || isOff || !REFUSED.test(badRequestWords(error) ?? '')) return null;
  const { reasoning_effort: _, ...rest } = request;
  return { ...rest, thinking: { type: 'disabled' } };
}
