/** The thinking of a request, as its model takes it: `models/claude-thinking.ts`. */
import type { MessageCreateParamsStreaming, ThinkingConfigParam } from '@anthropic-ai/sdk/resources/messages';
import { type Message, partsOf } from '../../../contracts/content.ts';
import type { ReasoningEffort } from '../../../contracts/generation.ts';
import {
  alwaysThinks,
  choosesThinkingBudget,
  refusesThinkingBudget,
  thinksBetweenTools,
  thinksByDefault,
} from '../../models/claude-thinking.ts';
import { claudeVersion, plainName } from '../../models/model-families.ts';
import { LEAST_THINKING_TOKENS, MOST_OF_CAP } from '../../models/rules/anthropic-messages.ts';
import { partsOfType } from '../message-parts.ts';
import { nativeRequestFields } from '../native-request.ts';
import { NO_SEALS, type OpenedSeals, openedOf } from '../opened-seals.ts';
import type { ProviderCall } from '../provider.ts';
import { editsWithoutThoughts } from './refused-thoughts.ts';

type Body = MessageCreateParamsStreaming;

const FORMAT = 'anthropic-messages';

/** Thinking budget of models up to 4.5 in tokens; later models choose it themselves. */
const THINKING_TOKENS: Readonly<Record<Exclude<ReasoningEffort, 'none'>, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 4_096,
  high: 16_384,
  xhigh: 32_768,
  max: 65_536,
};

/** Older models think as much as they can where nothing says how much. */
const USUAL_EFFORT = 'high';

/** The vendor requires a cap. */
export function capOf({ maxOutputTokens, input }: ProviderCall): number {
  return maxOutputTokens ?? input.maxOutputTokens;
}

/**
 * Thinking is off if it cannot continue: in the continuation of an answer, and after a tool's result whose tool call
 * came without its signed thoughts. Models that choose their budget take such a call as it is.
 */
export function anthropicThinking(call: ProviderCall): ThinkingConfigParam | null {
  const { model, input, resume, openedSeals = NO_SEALS } = call;
  if ('deliveredText' in resume) return null;
  const own = nativeRequestFields(input, FORMAT)['thinking'];
  const thinking = own === undefined ? thinkingOfEffort(call) : fitted(own as ThinkingConfigParam, call);
  const needsThoughts = thinking?.type === 'enabled' || claudeVersion(plainName(model)) === null;
  return needsThoughts && lacksThoughts(input.messages, openedSeals) ? null : thinking;
}

function thinkingOfEffort(call: ProviderCall): ThinkingConfigParam | null {
  const { model, input } = call;
  const { effort, thinks } = input.reasoning ?? { effort: 'none', thinks: false };
  if (effort === 'none') return input.reasoning === undefined ? null : turnedOff(model);
  if (thinks === false) return null;
  if (choosesThinkingBudget(model)) return { type: 'adaptive', display: 'summarized' };
  return byBudget(effort, capOf(call));
}

/** null where the model does not think by itself, or cannot be kept from it. */
function turnedOff(model: string): ThinkingConfigParam | null {
  if (thinksBetweenTools(model)) return { type: 'between_tools' };
  return thinksByDefault(model) && !alwaysThinks(model) ? { type: 'disabled' } : null;
}

function byBudget(effort: Exclude<ReasoningEffort, 'none'>, cap: number): ThinkingConfigParam | null {
  const budget = Math.min(THINKING_TOKENS[effort], Math.floor(cap * MOST_OF_CAP));
  return budget < LEAST_THINKING_TOKENS ? null : { type: 'enabled', budget_tokens: budget };
}

/** What the client has set, in the words of this model: its clients are written for one, and routes have others. */
function fitted(own: ThinkingConfigParam, call: ProviderCall): ThinkingConfigParam | null {
  const { model, input } = call;
  switch (own.type) {
    case 'enabled':
      // Newer models show nothing of their thoughts unless they are asked to.
      if (refusesThinkingBudget(model)) return { type: 'adaptive', display: own.display ?? 'summarized' };
      return withinCap(own, capOf(call));
    case 'adaptive': {
      if (choosesThinkingBudget(model)) return own;
      const effort = input.reasoning?.effort ?? 'none';
      return byBudget(effort === 'none' ? USUAL_EFFORT : effort, capOf(call));
    }
    case 'disabled':
      return alwaysThinks(model) ? turnedOff(model) : own;
    case 'between_tools':
      return thinksBetweenTools(model) || claudeVersion(plainName(model)) === null ? own : turnedOff(model);
    default:
      return own;
  }
}

const REFUSES_ADAPTIVE = /adaptive thinking is not supported|tag '?adaptive'? found/i;
const REFUSES_BUDGET = /thinking\.type\.enabled\W{0,3} is not supported/i;

/**
 * The body with the other kind of thinking, where its model refuses this kind: a name without a version, such as that
 * of a deployment or an inference profile, does not say which it takes. null where the words say nothing of it.
 */
export function withOtherThinking(body: Body, words: string): Body | null {
  const { thinking, output_config: config, ...rest } = body;
  if (thinking?.type === 'enabled' && REFUSES_BUDGET.test(words)) {
    return { ...body, thinking: { type: 'adaptive', display: thinking.display ?? 'summarized' } };
  }
  if (thinking?.type !== 'adaptive' || !REFUSES_ADAPTIVE.test(words)) return null;
  // Such a model takes no effort either.
  const { effort, ...others } = config ?? {};
  const fitting = byBudget(effort ?? USUAL_EFFORT, body.max_tokens);
  return {
    ...rest,
    ...(Object.keys(others).length === 0 ? {} : { output_config: others }),
    ...(fitting === null ? editsWithoutThoughts(rest) : { thinking: fitting }),
  };
}

/** The body with another cap, and its thinking within it; null for no cap. */
export function withCap(body: Body, cap: number | null): Body | null {
  if (cap === null) return null;
  const { thinking, ...rest } = body;
  if (thinking?.type !== 'enabled') return { ...body, max_tokens: cap };
  const fitting = withinCap(thinking, cap);
  return {
    ...rest,
    max_tokens: cap,
    ...(fitting === null ? editsWithoutThoughts(rest) : { thinking: fitting }),
  };
}

/** The budget of the caller, which must be less than the cap that is left for the call. */
function withinCap(
  thinking: Extract<ThinkingConfigParam, { type: 'enabled' }>,
  cap: number,
): ThinkingConfigParam | null {
  if (thinking.budget_tokens < cap) return thinking;
  const most = Math.floor(cap * MOST_OF_CAP);
  return most < LEAST_THINKING_TOKENS ? null : { ...thinking, budget_tokens: most };
}

function lacksThoughts(messages: readonly Message[], seals: OpenedSeals): boolean {
  const last = messages.at(-1);
  if (last === undefined || partsOfType(last, 'tool-result').length === 0) return false;
  const called = messages.findLast(({ role }) => role === 'assistant');
  return !partsOf(called ?? { content: '' }).some(
    (part) =>
      (part.type === 'native' && part.format === FORMAT && part.isReasoning === true) ||
      (part.type === 'reasoning' && openedOf(part, FORMAT, seals) !== null),
  );
}
