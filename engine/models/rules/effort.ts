/**
 * The effort of a request at models that take none. Sources: xAI, "Reasoning"; OpenAI, "Reasoning models"; Mistral,
 * "Reasoning".
 */
import type { ProviderConfig } from '../../../platform/config/schema.ts';
import { plainName } from '../model-families.ts';
import { MISTRAL_WITH_EFFORT } from '../reasoning-efforts.ts';
import type { FittedInput, RuledCall } from './rule.ts';
import { without } from './sampling.ts';

/** They think as they see fit, and refuse the field. */
const FIXED_EFFORT = /^grok-(2|3(?!-mini)|4(?:-|$)|4\.20(?!-multi-agent)|code-fast-1)/;
const OF_MISTRAL = /^(?:mistral|ministral|magistral|codestral|devstral|pixtral|open-mi[sx]tral)-/;

export function fitEffort({ model, input, facts, config }: RuledCall): FittedInput {
  const { reasoning } = input;
  if (reasoning === undefined) return { input, dropped: [] };
  const { effort, thinks } = reasoning;
  const { reasoning: canThink } = facts.capabilities;
  const isOff = effort === 'none';
  // A model that does not think has no effort, and does not think without one either.
  if (canThink === false && (isOff || thinks === false)) {
    return { input: without(input, 'reasoning'), dropped: isOff ? [] : ['reasoning'] };
  }
  if (hasEffortField(config) && hasFixedEffort(plainName(model))) {
    return { input: without(input, 'reasoning'), dropped: ['reasoning'] };
  }
  // Of another format, whose clients turn thinking off that no model would have begun. The field could be unknown.
  if (canThink === null && isOff && thinks === false && !hasSwitch(config)) {
    return { input: without(input, 'reasoning'), dropped: [] };
  }
  return { input, dropped: [] };
}

function hasFixedEffort(model: string): boolean {
  return FIXED_EFFORT.test(model) || (OF_MISTRAL.test(model) && !MISTRAL_WITH_EFFORT.test(model));
}

/** Whether the server has a field that turns thinking off at any model. */
function hasSwitch({ quirks }: Pick<ProviderConfig, 'quirks'>): boolean {
  const field = quirks?.reasoningEffort ?? 'reasoning_effort';
  return field !== 'reasoning_effort' && field !== 'none';
}

/** Whether the effort is a separate field, which a server refuses at models that do not take it. */
function hasEffortField({ wire, quirks }: Pick<ProviderConfig, 'wire' | 'quirks'>): boolean {
  if (wire === 'openai-responses' || wire === 'azure-openai') return true;
  return wire === 'openai-chat' && (quirks?.reasoningEffort ?? 'reasoning_effort') === 'reasoning_effort';
}
