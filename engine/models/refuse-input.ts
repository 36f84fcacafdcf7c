/** Refuses an input that the model is known not to support, before the call is sent and costs money. */

import { cacheMarksOf } from '../../contracts/cache-marks.ts';
import { candidateName } from '../../contracts/candidate.ts';
import { type Message, partsOf } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import type { ModelFacts } from '../../contracts/model.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { foreignFields } from './native-fields.ts';

/** A model, and the format in which its provider is called. */
interface CalledModel extends Candidate {
  readonly wire: WireFamily;
}

type Setting = 'topK' | 'seed' | 'frequencyPenalty' | 'presencePenalty' | 'verbosity' | 'files';

/** What the request of a wire has no place for. Sources: the vendors' API references. */
const LACKS: Readonly<Record<WireFamily, readonly Setting[]>> = {
  'openai-chat': [],
  'azure-openai': [],
  'openai-responses': ['topK', 'seed', 'frequencyPenalty', 'presencePenalty'],
  'anthropic-messages': ['seed', 'frequencyPenalty', 'presencePenalty', 'verbosity'],
  bedrock: ['seed', 'frequencyPenalty', 'presencePenalty', 'verbosity'],
  google: ['verbosity'],
  cohere: ['verbosity', 'files'],
  'ai-sdk': ['verbosity'],
};
const TAKES_PARALLEL: readonly WireFamily[] = [
  'openai-chat',
  'azure-openai',
  'openai-responses',
  'anthropic-messages',
  'bedrock',
];
/** Source: Anthropic's "Prompt caching". */
const MOST_CACHE_MARKS = 4;

/** As our own format and the vendors' spell them. */
const NAMES: Readonly<Record<Setting, string>> = {
  topK: 'topK (top_k)',
  seed: 'seed',
  frequencyPenalty: 'frequencyPenalty (frequency_penalty)',
  presencePenalty: 'presencePenalty (presence_penalty)',
  verbosity: 'verbosity',
  files: 'files',
};

/** @returns null if the model may be called. */
export function findInputRefusal(
  called: CalledModel,
  { capabilities: can }: ModelFacts,
  input: GenerationInput,
): UnbrokenError | null {
  const types = typesOf(input.messages);
  const { refused } = foreignFields(input, called.wire, called.provider);
  const missing = [
    can.tools === false &&
      (input.tools !== undefined || types.has('tool-call') || types.has('tool-result')) &&
      'tools',
    can.vision === false && types.has('image') && 'images',
    can.jsonSchema === false && input.output?.schema !== undefined && 'output (a JSON schema)',
    can.reasoning === false &&
      input.reasoning !== undefined &&
      input.reasoning.thinks !== false &&
      input.reasoning.effort !== 'none' &&
      'reasoning',
    can.sampling === false && input.temperature !== undefined && 'temperature',
    can.sampling === false && input.topP !== undefined && 'topP (top_p)',
    can.stop === false && input.stop !== undefined && 'stop (stop_sequences)',
    input.parallelToolCalls === false &&
      input.tools !== undefined &&
      !TAKES_PARALLEL.includes(called.wire) &&
      'parallelToolCalls (parallel_tool_calls, disable_parallel_tool_use)',
    ...LACKS[called.wire].map(
      (setting) => (setting === 'files' ? types.has('file') : input[setting] !== undefined) && NAMES[setting],
    ),
    takesMarks(called.wire) &&
      cacheMarksOf(input).length > MOST_CACHE_MARKS &&
      `cache_control (more than ${MOST_CACHE_MARKS} times)`,
    ...refused,
  ].filter((feature) => feature !== false);
  const [first] = missing;
  if (first === undefined) return null;
  const message = `${candidateName(called)} does not take ${missing.join(', ')}.`;
  return new UnbrokenError('unsupported_by_model', message, { details: { param: first.replace(/ .*/, '') } });
}

/** The types of all parts, also of those in the results of tools. */
function typesOf(messages: readonly Message[]): ReadonlySet<string> {
  const types = new Set<string>();
  for (const part of messages.flatMap(partsOf)) {
    types.add(part.type);
    if (part.type !== 'tool-result' || typeof part.content === 'string') continue;
    for (const { type } of part.content) types.add(type);
  }
  return types;
}

function takesMarks(wire: WireFamily): boolean {
  return wire === 'anthropic-messages' || wire === 'bedrock';
}
