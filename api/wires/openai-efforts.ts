/** OpenAI's reasoning efforts, in Responses and chat completions. */
import type { ReasoningEffort } from '../../contracts/generation.ts';

/** Efforts that we do not have become the nearest; `none` is ours where nothing is asked for. */
export function effortOf(effort: string | null | undefined): {
  readonly reasoning?: { effort: ReasoningEffort };
} {
  if (effort === 'low' || effort === 'medium' || effort === 'high') return { reasoning: { effort } };
  if (effort === 'minimal') return { reasoning: { effort: 'low' } };
  return effort === 'xhigh' || effort === 'max' ? { reasoning: { effort: 'high' } } : {};
}
