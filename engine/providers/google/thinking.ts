/**
 * The thinking of a request, as its model takes it: a budget of tokens (Gemini 2.5), or a level. Source: Gemini API,
 * "Thinking".
 */
import type { ThinkingConfig, ThinkingLevel } from '@google/genai';
import { nearestOfThree } from '../message-parts.ts';
import type { ProviderCall } from '../provider.ts';

type Level = 'minimal' | 'low' | 'medium' | 'high';

const THINKING_TOKENS = { low: 1_024, medium: 8_192, high: 24_576 } as const;

/** Of Gemini 2.5 Pro. */
const LEAST_THINKING_TOKENS = 128;

/** The last one whose Flash takes the level `minimal`, other than its Lite. */
const LAST_MINIMAL_FLASH = 3.6;

/** Gemma before 4 takes neither thinking nor a system text. Source: Google, "Gemma on the Gemini API". */
export const IS_OLD_GEMMA = /(?:^|\/)gemma-[1-3]/;
const IS_GEMMA = /(?:^|\/)gemma-/;

export function googleThinking({ model, input, resume }: ProviderCall): ThinkingConfig | null {
  if (input.reasoning === undefined || IS_OLD_GEMMA.test(model)) return null;
  const { effort } = input.reasoning;
  const nearest = nearestOfThree(effort);
  const isBudget = /gemini-2\.5/.test(model);
  const isPro = /gemini-(?:[\d.]+-)?pro/.test(model);
  if (nearest === null) {
    // The larger models always think.
    if (isBudget) return { thinkingBudget: isPro ? LEAST_THINKING_TOKENS : 0 };
    return /gemini-[12]/.test(model) ? null : { thinkingLevel: level(model, 'minimal') };
  }
  const includeThoughts = !('deliveredText' in resume);
  if (isBudget) return { includeThoughts, thinkingBudget: THINKING_TOKENS[nearest] };
  return { includeThoughts, thinkingLevel: level(model, effort === 'minimal' ? effort : nearest) };
}

/** The first Gemini 3 Pro has two levels, and so has Gemma: other ones. */
function level(model: string, wanted: Level): ThinkingLevel {
  if (IS_GEMMA.test(model)) {
    const isLittle = wanted === 'minimal' || wanted === 'low';
    return (isLittle ? 'MINIMAL' : 'HIGH') as ThinkingLevel;
  }
  const isTwoLevels = /gemini-3-pro/.test(model);
  const nearest = isTwoLevels && wanted === 'medium' ? 'high' : wanted;
  const taken = nearest === 'minimal' && !takesMinimal(model) ? 'low' : nearest;
  return taken.toUpperCase() as ThinkingLevel;
}

function takesMinimal(model: string): boolean {
  if (/flash-lite/.test(model)) return true;
  const [, version] = /gemini-(\d+(?:\.\d+)?)-flash/.exec(model) ?? [];
  return version !== undefined && Number(version) <= LAST_MINIMAL_FLASH;
}
