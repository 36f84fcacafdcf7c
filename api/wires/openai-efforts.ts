/** Maps OpenAI's reasoning efforts, which Responses and chat completions share. */
import type { ReasoningEffort } from '../../contracts/generation.ts';

/** An effort that we do not have becomes the nearest one; `none` and unknown efforts ask for no reasoning. */
export function mapOpenAiEffort(effort: string | null | undefined): {
  readonly reasoning?: { effort: ReasoningEffort };
} {
  if (effort === 'low' || effort === 'medium' || effort === 'high') return { reasoning: { effort } };
  if (effort === 'minimal') return { reasoning: { effort: 'low' } };
  return effort === 'xhigh' || effort === 'max' ? { reasoning: { effort: 'high' } } : {};
}
