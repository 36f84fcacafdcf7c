/** Sampling: values that change nothing are left out where a model takes no others. */
import type { GenerationInput } from '../../../contracts/generation.ts';

/** What the vendors use where a request says nothing; OpenAI's and Anthropic's references agree. */
const NEUTRAL = { temperature: 1, topP: 1, frequencyPenalty: 0, presencePenalty: 0 } as const;
type Sampling = keyof typeof NEUTRAL;
const SAMPLING = Object.keys(NEUTRAL) as readonly Sampling[];

/** Whether the request has this setting, with a value that changes the answer. */
export function changes(input: GenerationInput, setting: Sampling): boolean {
  return input[setting] !== undefined && input[setting] !== NEUTRAL[setting];
}

export function withoutNeutralSampling(input: GenerationInput): GenerationInput {
  const neutral = SAMPLING.filter((setting) => input[setting] === NEUTRAL[setting]);
  return neutral.length === 0 ? input : without(input, ...neutral);
}

export function without(
  input: GenerationInput,
  ...names: readonly (keyof GenerationInput)[]
): GenerationInput {
  const entries = Object.entries(input).filter(([name]) => !(names as readonly string[]).includes(name));
  return Object.fromEntries(entries) as unknown as GenerationInput;
}
