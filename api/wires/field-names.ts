/** The fields of our own format as the other formats name them, for the errors of their clients. */
import type { RequestFormat } from '../../contracts/content.ts';
import type { UnbrokenError } from '../../contracts/errors.ts';

type Names = Readonly<Record<string, string>>;

const OPENAI: Names = {
  topP: 'top_p',
  topK: 'top_k',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
};

const NAMES: Readonly<Record<RequestFormat, Names>> = {
  'openai-chat': {
    ...OPENAI,
    input: 'messages',
    maxOutputTokens: 'max_completion_tokens',
    'output.schema': 'response_format.json_schema.schema',
    'output.name': 'response_format.json_schema.name',
    output: 'response_format',
    reasoning: 'reasoning_effort',
  },
  'openai-responses': {
    ...OPENAI,
    maxOutputTokens: 'max_output_tokens',
    'output.schema': 'text.format.schema',
    output: 'text.format',
    verbosity: 'text.verbosity',
  },
  'anthropic-messages': {
    topP: 'top_p',
    topK: 'top_k',
    stop: 'stop_sequences',
    toolChoice: 'tool_choice',
    input: 'messages',
    maxOutputTokens: 'max_tokens',
    'output.schema': 'output_config.format.schema',
    output: 'output_config.format',
    reasoning: 'thinking',
  },
};

/** @param field of an error, perhaps with a path within it. */
export function fieldName(format: RequestFormat, field: string): string {
  const names = NAMES[format];
  const own = Object.keys(names).find((name) => field === name || field.startsWith(`${name}.`));
  return own === undefined ? field : `${names[own]}${field.slice(own.length)}`;
}

/** The words of an error, whose lines begin with the fields that they are about. */
export function inNamesOf(
  format: RequestFormat,
  { message, details }: Pick<UnbrokenError, 'message' | 'details'>,
): string {
  if (typeof details?.['param'] !== 'string') return message;
  return message.replace(/(?<=^|; )[a-zA-Z]+(?:\.\w+)*(?=: )/g, (field) => fieldName(format, field));
}
