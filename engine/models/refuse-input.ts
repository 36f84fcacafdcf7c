/** Refuses an input that the model is known not to support, before the call is sent and costs money. */
import { partsOf } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import type { ModelFacts } from '../../contracts/model.ts';

/** @returns null if the model may be called. */
export function findInputRefusal(
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
  ].filter((feature) => feature !== false);
  if (missing.length > 0) {
    return new UnbrokenError('unsupported_by_model', `${name} does not take ${missing.join(', ')}.`);
  }
  return null;
}
