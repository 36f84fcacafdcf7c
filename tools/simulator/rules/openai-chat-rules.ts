/** What OpenAI's chat completions refuse, and the vendors that speak the format. */
import { isWithin } from '../../../contracts/seed.ts';
import { CHAT_SERVER_RULES } from './chat-server-rules.ts';
import { checkTypes, type ObjectShape, readTypes } from './check-types.ts';
import { type Fields, fieldsOf, isJsonObject, isSet, objectsOf, textOf } from './json-values.ts';
import {
  isReasoningModel,
  MOST_TOOLS,
  OPENAI_DOCS,
  TOOL_NAME,
  TOOL_NAME_CHARS,
  WELL_FORMED,
  wrongImage,
  wrongMetadata,
  wrongSampling,
} from './openai-rules.ts';
import { inOpenAiWords, outOfRange, tooLong, wrongLength, wrongPattern } from './openai-words.ts';
import { firstProblem, type Problem, type Rule, type VendorRequest } from './rule.ts';
import { openAiSchemaProblem } from './strict-schemas.ts';
import { openAiToolProblem } from './tool-schemas.ts';

const REFERENCE = `${OPENAI_DOCS}/api-reference/chat/create`;
const TYPES = readTypes('openai-chat');
const CALL_ID_CHARS = 40;
const MOST_CHOICES = 128;

/** Fields that vendors have added to the format: DeepSeek, Mistral, OpenRouter, vLLM. Source: their API references. */
const ADDED: Readonly<Record<string, ObjectShape>> = {
  ChatCompletionCreateParamsBase: {
    'top_k?': 'number',
    'min_p?': 'number',
    'repetition_penalty?': 'number',
    'reasoning?': 'any',
    'thinking?': 'any',
    'provider?': 'any',
    'safe_prompt?': 'boolean',
    'random_seed?': 'number',
    'chat_template_kwargs?': 'any',
    'continue_final_message?': 'boolean',
    'add_generation_prompt?': 'boolean',
  },
  ChatCompletionContentPartText: { 'cache_control?': 'any' },
  ChatCompletionAssistantMessageParam: {
    'annotations?': 'any',
    'reasoning_content?': { one: ['string', 'null'] },
    'reasoning?': { one: ['string', 'null'] },
    'reasoning_details?': 'any',
    'prefix?': 'boolean',
  },
};

/** OpenAI's documentation appends the message of an answer to the conversation, with all its fields. */
const ECHOED: Readonly<Record<string, ObjectShape>> = {
  ChatCompletionAssistantMessageParam: { 'annotations?': 'any' },
};

/** OpenAI's own models are served by OpenAI; any other by a vendor that speaks its format. */
function isOpenAiModel(model: unknown): boolean {
  return /^(gpt-|o\d|chatgpt-)/.test(String(model));
}

function wrongTypes({ body }: VendorRequest): Problem | null {
  const problem = checkTypes(TYPES, body, { more: isOpenAiModel(body['model']) ? ECHOED : ADDED });
  if (problem === null) return null;
  if (problem.kind === 'unknown' && problem.path.length === 1) {
    return { message: `Unrecognized request argument supplied: ${problem.path[0]}` };
  }
  return inOpenAiWords(problem);
}

function wrongTokens({ body }: VendorRequest): Problem | null {
  const [old, own] = [body['max_tokens'], body['max_completion_tokens']];
  if (isSet(old) && isSet(own)) {
    const message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.";
    return { message, code: 'invalid_parameter_combination' };
  }
  if (isSet(old) && isReasoningModel(body['model'])) {
    const message =
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    return { message, param: 'max_tokens', code: 'unsupported_parameter' };
  }
  const name = isSet(old) ? 'max_tokens' : 'max_completion_tokens';
  return outOfRange(name, old ?? own, { least: 1, isInteger: true });
}

const TOOLS_OR_THOUGHTS = /^gpt-(?:5\.(?:[4-9]|\d\d)|[6-9])(?![\d.]*-chat)/;

function excludedFields({ body }: VendorRequest): Problem | null {
  const onlyWith = (param: string, message: string): Problem => ({ message, param });
  if (isSet(body['stream_options']) && body['stream'] !== true) {
    const message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
    return onlyWith('stream_options', message);
  }
  const lacksTools = objectsOf(body['tools']).length === 0 && objectsOf(body['functions']).length === 0;
  const choice = body['tool_choice'];
  if (lacksTools && isSet(choice) && choice !== 'none') {
    const message =
      "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.";
    return onlyWith('tool_choice', message);
  }
  if (lacksTools && isSet(body['parallel_tool_calls'])) {
    const rule = "'parallel_tool_calls' is only allowed when 'tools' are specified.";
    return onlyWith('parallel_tool_calls', `Invalid value for 'parallel_tool_calls': ${rule}`);
  }
  if (isSet(body['top_logprobs']) && body['logprobs'] !== true) {
    const rule = "'logprobs' must be set to true if 'top_logprobs' is specified.";
    return onlyWith('top_logprobs', `Invalid value for 'top_logprobs': ${rule}`);
  }
  const effort = body['reasoning_effort'];
  if (!lacksTools && isSet(effort) && effort !== 'none' && TOOLS_OR_THOUGHTS.test(textOf(body['model']))) {
    const model = textOf(body['model']);
    const rule = `Function tools with reasoning_effort are not supported for ${model} in /v1/chat/completions.`;
    const advice = "To use function tools, use /v1/responses or set reasoning_effort to 'none'.";
    return onlyWith('reasoning_effort', `${rule} ${advice}`);
  }
  const name = textOf(fieldsOf(fieldsOf(choice)['function'])['name']);
  const isKnown = objectsOf(body['tools']).some((tool) => fieldsOf(tool['function'])['name'] === name);
  if (name === '' || isKnown) return null;
  return onlyWith('tool_choice', `Tool choice '${name}' not found in 'tools' parameter.`);
}

const SEEDS = [-(2n ** 63n), 2n ** 63n - 1n] as const;

function wrongNumbers({ body }: VendorRequest): Problem | null {
  const { seed } = body;
  if (isSet(seed) && !isWithin(seed, ...SEEDS)) {
    const found = JSON.stringify(seed);
    const message = `Invalid 'seed': integer out of range. Expected a signed 64-bit integer, but got ${found} instead.`;
    return { message, param: 'seed', code: 'integer_out_of_range' };
  }
  return outOfRange('n', body['n'], { least: 1, most: MOST_CHOICES, isInteger: true });
}

function wrongLists({ body }: VendorRequest): Problem | null {
  const stops = Array.isArray(body['stop']) ? body['stop'] : [];
  return (
    wrongLength('messages', objectsOf(body['messages']), 1, Infinity) ??
    wrongLength('tools', objectsOf(body['tools']), isSet(body['tools']) ? 1 : 0, MOST_TOOLS) ??
    // Other vendors take more, and say so in their own references.
    (isOpenAiModel(body['model']) ? wrongLength('stop', stops, 0, 4) : null)
  );
}

function wrongTools({ body }: VendorRequest): Problem | null {
  return firstProblem(objectsOf(body['tools']).entries(), ([index, tool]) => {
    if (tool['type'] !== 'function') return null;
    const { name: own, strict, parameters } = fieldsOf(tool['function']);
    const name = textOf(own);
    const param = `tools[${index}].function.name`;
    const wrongName = tooLong(param, name, TOOL_NAME_CHARS) ?? wrongPattern(param, name, TOOL_NAME);
    if (wrongName !== null) return wrongName;
    return schemaProblem({
      name,
      parameters,
      isStrict: strict === true,
      isOpenAi: isOpenAiModel(body['model']),
      param: `tools[${index}].function.parameters`,
    });
  });
}

interface FunctionSchema {
  readonly name: string;
  readonly parameters: unknown;
  readonly isStrict: boolean;
  /** Other servers of the format want an object, and look no further. */
  readonly isOpenAi: boolean;
  readonly param: string;
}

/** A function without parameters needs none; a schema must be an object's, strict or not. */
export function schemaProblem({
  name,
  parameters,
  isStrict,
  isOpenAi,
  param,
}: FunctionSchema): Problem | null {
  if (!isSet(parameters)) return null;
  const { type } = fieldsOf(parameters);
  const own = isStrict ? openAiSchemaProblem(parameters) : null;
  const lacksType = `schema must be a JSON Schema of 'type: "object"', got 'type: "${type ?? 'None'}"'.`;
  const found = own ?? (type === 'object' ? null : lacksType);
  const problem = found ?? (isStrict || isOpenAi ? openAiToolProblem(parameters) : null);
  if (problem === null) return null;
  return {
    message: `Invalid schema for function '${name}': ${problem}`,
    param,
    code: 'invalid_function_parameters',
  };
}

function wrongFormat({ body }: VendorRequest): Problem | null {
  const format = fieldsOf(body['response_format']);
  const { name, schema, strict } = fieldsOf(format['json_schema']);
  const param = 'response_format';
  if (format['type'] === 'json_object') {
    if (/json/i.test(JSON.stringify(body['messages']))) return null;
    const message = `'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.`;
    return { message, param: 'messages' };
  }
  if (format['type'] !== 'json_schema') return null;
  const nameParam = 'response_format.json_schema.name';
  const wrongName = tooLong(nameParam, textOf(name), 64) ?? wrongPattern(nameParam, textOf(name), TOOL_NAME);
  if (wrongName !== null) return wrongName;
  const problem = strict === true ? openAiSchemaProblem(schema) : null;
  return problem === null
    ? null
    : { message: `Invalid schema for response_format '${name}': ${problem}`, param };
}

function wrongCalls({ body }: VendorRequest): Problem | null {
  return firstProblem(objectsOf(body['messages']).entries(), ([index, message]) =>
    firstProblem(objectsOf(message['tool_calls']).entries(), ([place, { id, function: called }]) => {
      const at = `messages[${index}].tool_calls[${place}]`;
      const { name, arguments: written } = fieldsOf(called);
      if (isOpenAiModel(body['model'])) {
        const wrongId = tooLong(`${at}.id`, textOf(id), CALL_ID_CHARS);
        if (wrongId !== null) return wrongId;
      }
      if (called !== undefined && !isJsonObject(textOf(written))) {
        const param = `${at}.function.arguments`;
        return { message: `Invalid '${param}': expected a JSON object.`, param, code: 'invalid_value' };
      }
      const param = `${at}.function.name`;
      return called === undefined
        ? null
        : (tooLong(param, textOf(name), TOOL_NAME_CHARS) ?? wrongPattern(param, textOf(name), TOOL_NAME));
    }),
  );
}

/** Results stand directly after the message with their calls, one for each. */
function unpairedTools({ body }: VendorRequest): Problem | null {
  const messages = objectsOf(body['messages']);
  let open: string[] = [];
  let caller = 0;
  const missing = (): Problem => {
    const rule =
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.";
    const found = `The following tool_call_ids did not have response messages: ${open.join(', ')}`;
    return { message: `${rule} ${found}`, param: `messages.[${caller}].role` };
  };
  for (const [index, { role, tool_call_id: id, tool_calls: calls }] of messages.entries()) {
    if (role === 'tool') {
      if (!open.includes(textOf(id))) {
        const message =
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
        return { message, param: `messages.[${index}].role` };
      }
      open = open.filter((own) => own !== id);
      continue;
    }
    if (open.length > 0) return missing();
    open = objectsOf(calls).map(({ id: own }) => textOf(own));
    caller = index;
  }
  return open.length > 0 ? missing() : null;
}

function wrongContent({ body }: VendorRequest): Problem | null {
  return firstProblem(objectsOf(body['messages']).entries(), ([index, message]) => {
    const { role, content, tool_calls: calls, function_call: called, refusal } = message;
    const lacksAll = [content, calls, called, refusal, message['audio']].every((field) => !isSet(field));
    if (role === 'assistant' && lacksAll) {
      const message = "Invalid value for 'content': expected a string, got null.";
      return { message, param: `messages.[${index}].content` };
    }
    if (Array.isArray(calls) && calls.length === 0)
      return wrongLength(`messages[${index}].tool_calls`, calls, 1, MOST_TOOLS);
    if (Array.isArray(content) && content.length === 0)
      return wrongLength(`messages[${index}].content`, content, 1, Infinity);
    return firstProblem(objectsOf(content).entries(), ([place, { image_url: image }]: [number, Fields]) =>
      image === undefined
        ? null
        : wrongImage(`messages[${index}].content[${place}].image_url.url`, textOf(fieldsOf(image)['url'])),
    );
  });
}

export const OPENAI_CHAT_RULES: readonly Rule[] = [
  WELL_FORMED,
  { name: 'fields and their types', source: REFERENCE, find: wrongTypes },
  { name: 'the cap of tokens', source: `${OPENAI_DOCS}/guides/reasoning`, find: wrongTokens },
  { name: 'fields that need another', source: REFERENCE, find: excludedFields },
  { name: 'lengths of lists', source: REFERENCE, find: wrongLists },
  { name: 'whole numbers', source: REFERENCE, find: wrongNumbers },
  { name: 'sampling', source: `${OPENAI_DOCS}/guides/reasoning`, find: wrongSampling },
  { name: 'metadata', source: REFERENCE, find: wrongMetadata },
  { name: 'tools', source: `${OPENAI_DOCS}/guides/function-calling`, find: wrongTools },
  ...CHAT_SERVER_RULES,
  { name: 'the format of the answer', source: `${OPENAI_DOCS}/guides/structured-outputs`, find: wrongFormat },
  { name: 'tool calls', source: 'https://github.com/langchain-ai/langchain/issues/31325', find: wrongCalls },
  {
    name: 'tool calls and their results',
    source: `${OPENAI_DOCS}/guides/function-calling`,
    find: unpairedTools,
  },
  { name: 'content', source: `${OPENAI_DOCS}/guides/images-vision`, find: wrongContent },
];
