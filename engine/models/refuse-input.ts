/** What a model is known not to do, said before a call leaves: nothing is paid for a refusal. */
import { partsOf } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import type { ModelFacts } from '../../contracts/model.ts';

/** @returns the refusal; null where the model may be asked. */
export function refusalOf(
  name: string,
  { capabilities: can }: ModelFacts,
  input: GenerationInput,
): UnbrokenError | null {
  const parts = input.messages.flatMap(partsOf);
  const missing = [
    can.tools === false &&
      (input.tools !== undefined ||
        parts.some(({ type }) => type === 'tool-call' || type === 'tool-result')) &&
      'tools',
    can.vision === false && parts.some(({ type }) => type === 'image') && 'images',
    can.jsonSchema === false && input.output !== undefined && 'output (a JSON schema)',
    can.reasoning === false &&
      input.reasoning !== undefined &&
      input.reasoning.thinks !== false &&
      'reasoning',
    can.sampling === false && input.temperature !== undefined && 'temperature',
    can.sampling === false && input.topP !== undefined && 'topP',
    can.stop === false && input.stop !== undefined && 'stop',
  ].filter((one) => one !== false);
  if (missing.length > 0) {
    return new UnbrokenError('unsupported_by_model', `${name} does not take ${missing.join(', ')}.`);
  }
  return null;
}
