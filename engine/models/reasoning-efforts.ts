/** Which efforts a model takes. A vendor refuses the others, or takes them for its default. */
import { type ReasoningEffort, reasoningEfforts } from '../../contracts/generation.ts';
import { alwaysThinks } from './claude-thinking.ts';
import { claudeVersion, plainName } from './model-families.ts';

type Efforts = readonly ReasoningEffort[];

/** Moonshot's from K3 on: they always think, and have no switch. Source: Moonshot, "Use reasoning effort". */
const KIMI_WITH_EFFORT = /^kimi-k(?:[3-9]|\d\d)/i;

/** Mistral's that can be asked to think; its others refuse the field. Source: Mistral, "Reasoning". */
export const MISTRAL_WITH_EFFORT = /^mistral-(?:small-(?:latest|26\d\d)|medium-(?:3[-.]5|26\d\d)|large-4)/;

/** By the name of the model, on any host; later rows win. Sources: OpenAI, the pages of its models; the above. */
const OPENAI: readonly (readonly [RegExp, Efforts])[] = [
  [/^(o\d|gpt-oss|gpt-5-codex)/, ['low', 'medium', 'high']],
  [/^gpt-5(-mini|-nano)?(-\d{4}.*)?$/, ['minimal', 'low', 'medium', 'high']],
  [/^gpt-5-pro/, ['high']],
  [/^gpt-5\.1(?!-codex-max)/, ['none', 'low', 'medium', 'high']],
  [/^gpt-5\.(1-codex-max|[2-5](?!\d))/, ['none', 'low', 'medium', 'high', 'xhigh']],
  [KIMI_WITH_EFFORT, ['low', 'high', 'max']],
  [MISTRAL_WITH_EFFORT, ['none', 'high']],
  [/^mistral-large-4/, ['none', 'low', 'medium', 'high']],
];

/** Whether it takes an effort where the vendor's other models have a switch. */
export function hasEffortAlone(model: string): boolean {
  return KIMI_WITH_EFFORT.test(plainName(model));
}

/** What OpenAI's model takes of this effort; a model that is not known takes any. */
export function openAiEffort(model: string, effort: ReasoningEffort): ReasoningEffort {
  const name = plainName(model);
  const taken = OPENAI.findLast(([pattern]) => pattern.test(name))?.[1];
  return taken === undefined ? effort : nearestEffort(effort, taken);
}

/** Source: Anthropic, "Effort": Opus from 4.5 on, the others later; `max` from 4.6, `xhigh` from 4.7. null: none. */
export function claudeEffort(model: string, effort: ReasoningEffort) {
  const version = claudeVersion(plainName(model)) ?? 99;
  if (version < 45 || (version === 45 && !model.includes('opus'))) return null;
  // Where thinking cannot be turned off, the lowest effort is the least of it.
  if (effort === 'none') return alwaysThinks(model) ? CLAUDE[0] : null;
  if (version === 45) return nearestEffort(effort, CLAUDE.slice(0, 3));
  return nearestEffort(
    effort,
    CLAUDE.filter((own) => own !== 'xhigh' || version >= 47),
  );
}

const CLAUDE = ['low', 'medium', 'high', 'xhigh', 'max'] as const;

/** The effort itself, else the next lower one, else the lowest. What is to think is not kept from it. */
export function nearestEffort<Effort extends ReasoningEffort>(
  effort: ReasoningEffort,
  taken: readonly Effort[],
): Effort {
  const rankOf = (own: ReasoningEffort) => reasoningEfforts.indexOf(own);
  const thinks = effort !== 'none' && effort !== 'minimal';
  const ranked = taken.filter((own) => !thinks || own !== 'none').sort((a, b) => rankOf(a) - rankOf(b));
  const nearest = ranked.findLast((own) => rankOf(own) <= rankOf(effort)) ?? ranked[0];
  if (nearest === undefined) throw new RangeError('no effort to choose from');
  return nearest;
}
