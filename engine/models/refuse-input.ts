/** Refuses an input that the model is known not to support, before the call is sent and costs money. */

import { candidateName } from '../../contracts/candidate.ts';
import { type Message, partsOf, withResultMedia } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { isTextFile } from '../../contracts/text-files.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { foreignFields } from './native-fields.ts';
import type { RuledCall } from './rules/rule.ts';
import { changes } from './rules/sampling.ts';
import { findViolation } from './rules/vendor-rules.ts';

type Lacked = 'topK' | 'seed' | 'logprobs' | 'frequencyPenalty' | 'presencePenalty' | 'verbosity' | 'files';
type Setting = Lacked | 'topP' | 'stop' | 'maxOutputTokens' | 'input' | 'output' | 'output.schema';

/** What the request of a wire has no place for. Sources: the vendors' API references. */
const LACKS: Readonly<Record<WireFamily, readonly Lacked[]>> = {
  'openai-chat': [],
  'azure-openai': [],
  'openai-responses': ['topK', 'seed', 'frequencyPenalty', 'presencePenalty'],
  'anthropic-messages': ['seed', 'logprobs', 'frequencyPenalty', 'presencePenalty', 'verbosity'],
  bedrock: ['seed', 'logprobs', 'frequencyPenalty', 'presencePenalty', 'verbosity'],
  google: ['verbosity'],
  // Cohere has them for several tokens at once, without the text of each.
  cohere: ['logprobs', 'verbosity', 'files'],
  'ai-sdk': ['logprobs', 'verbosity'],
};
/** Whether a request can forbid several tool calls at once. */
const LIMITS_TOOL_CALLS: Readonly<Record<WireFamily, boolean>> = {
  'openai-chat': true,
  'azure-openai': true,
  'openai-responses': true,
  'anthropic-messages': true,
  bedrock: true,
  google: false,
  cohere: false,
  'ai-sdk': false,
};
/** As our own format and the vendors' spell them. */
const NAMES: Readonly<Record<Setting, string>> = {
  topK: 'topK (top_k)',
  seed: 'seed',
  logprobs: 'logprobs (top_logprobs, include: message.output_text.logprobs)',
  frequencyPenalty: 'frequencyPenalty (frequency_penalty)',
  presencePenalty: 'presencePenalty (presence_penalty)',
  verbosity: 'verbosity',
  files: 'files',
  topP: 'topP (top_p)',
  stop: 'stop (stop_sequences)',
  maxOutputTokens: 'maxOutputTokens (max_tokens, max_completion_tokens, max_output_tokens)',
  input: 'input (messages)',
  output: 'output (response_format, text.format, output_config.format)',
  'output.schema': 'output.schema (response_format, text.format, output_config.format)',
};

/** @returns null if the model may be called. */
export function findInputRefusal(call: RuledCall): UnbrokenError | null {
  const [first, ...others] = lackingFeatures(call);
  if (first !== undefined) {
    return refusal(first, `${candidateName(call)} does not take ${[first, ...others].join(', ')}.`);
  }
  const violation = findViolation(call);
  if (violation === null) return null;
  const field = NAMES[violation.field as Setting] ?? violation.field;
  return refusal(field, `${candidateName(call)} does not take this request: ${field} ${violation.demand}.`);
}

function refusal(field: string, message: string): UnbrokenError {
  return new UnbrokenError('unsupported_by_model', message, { details: { param: field.replace(/ .*/, '') } });
}

/** What the model, or the format of its provider, has no place for. */
function lackingFeatures({ provider, config: { wire }, facts, input }: RuledCall): readonly string[] {
  const { capabilities: can } = facts;
  const types = typesOf(input.messages);
  const { refused } = foreignFields(input, wire, provider);
  return [
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
    can.sampling === false && changes(input, 'temperature') && 'temperature',
    can.sampling === false && changes(input, 'topP') && NAMES.topP,
    can.stop === false && input.stop !== undefined && NAMES.stop,
    input.parallelToolCalls === false &&
      input.tools !== undefined &&
      !LIMITS_TOOL_CALLS[wire] &&
      'parallelToolCalls (parallel_tool_calls, disable_parallel_tool_use)',
    ...LACKS[wire].map((setting) => {
      if (setting === 'files') return hasOtherFile(input.messages) && NAMES.files;
      const isSet = isPenalty(setting) ? changes(input, setting) : input[setting] !== undefined;
      return isSet && NAMES[setting];
    }),
    ...refused,
  ].filter((feature) => feature !== false);
}

function isPenalty(setting: string): setting is 'frequencyPenalty' | 'presencePenalty' {
  return setting === 'frequencyPenalty' || setting === 'presencePenalty';
}

/** Whether there is a file that is not one of text, which every model reads. */
function hasOtherFile(messages: readonly Message[]): boolean {
  const parts = messages.flatMap(partsOf).flatMap(withResultMedia);
  return parts.some((part) => part.type === 'file' && !isTextFile(part));
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
