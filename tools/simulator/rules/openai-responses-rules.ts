/** What OpenAI's Responses API refuses. */
import { decryptThought } from '../thought-signatures.ts';
import { checkTypes, type ObjectShape, readTypes } from './check-types.ts';
import { type Fields, fieldsOf, isJsonObject, isSet, objectsOf, textOf } from './json-values.ts';
import { schemaProblem } from './openai-chat-rules.ts';
import {
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

const REFERENCE = `${OPENAI_DOCS}/api-reference/responses/create`;
const TYPES = readTypes('openai-responses');
const CALL_ID_CHARS = 64;
const LEAST_TOKENS = 16;
const LEAST_COMPACT_TOKENS = 1_000;

/**
 * The API does not require in an input what the types of an output do. Source: "Conversation state", by hand. And it
 * takes what OpenAI's own Codex sends. Source: `ResponsesApiRequest` of openai/codex, and its requests.
 */
const MORE: Readonly<Record<string, ObjectShape>> = {
  ResponseCreateParamsBase: { 'client_metadata?': 'any' },
  ResponseOutputMessage: {
    'type?': { in: ['message'] },
    'id?': 'string',
    'status?': { one: ['null', { in: ['in_progress', 'completed', 'incomplete'] }] },
  },
  ResponseOutputText: { 'annotations?': 'any', 'logprobs?': 'any' },
  ResponseInputImage: { 'detail?': { in: ['low', 'high', 'auto', 'original'] } },
  ResponseReasoningItem: { 'id?': 'string' },
  FunctionTool: { 'strict?': { one: ['boolean', 'null'] } },
};

/** What the ids of items begin with. */
const PREFIXES: Readonly<Record<string, string>> = { function_call: 'fc', message: 'msg', reasoning: 'rs' };

const INPUT_PARTS = ['input_text', 'input_image', 'input_file'];
const OUTPUT_PARTS = ['output_text', 'refusal'];

function wrongTypes({ body }: VendorRequest): Problem | null {
  const problem = checkTypes(TYPES, body, { more: MORE });
  return problem === null ? null : inOpenAiWords(problem);
}

function wrongCompaction({ body }: VendorRequest): Problem | null {
  const entries = objectsOf(body['context_management']).entries();
  return firstProblem(entries, ([index, { type, compact_threshold: threshold }]) => {
    const at = `context_management[${index}]`;
    if (type !== 'compaction') {
      const message = `Invalid value: '${type}'. Supported values are: 'compaction'.`;
      return { message, param: `${at}.type`, code: 'invalid_value' };
    }
    const range = { least: LEAST_COMPACT_TOKENS, isInteger: true };
    return outOfRange(`${at}.compact_threshold`, threshold, range);
  });
}

function wrongTokens({ body }: VendorRequest): Problem | null {
  return outOfRange('max_output_tokens', body['max_output_tokens'], { least: LEAST_TOKENS, isInteger: true });
}

function excludedFields({ body, hasResponse }: VendorRequest): Problem | null {
  const previous = textOf(body['previous_response_id']);
  if (previous !== '' && isSet(body['conversation'])) {
    const message =
      "Mutually exclusive parameters: 'previous_response_id'. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.";
    return { message, param: 'previous_response_id', code: 'mutually_exclusive_parameters' };
  }
  if (previous !== '' && !hasResponse(previous)) {
    const message = `Previous response with id '${previous}' not found.`;
    return { message, param: 'previous_response_id', code: 'previous_response_not_found' };
  }
  const sources = ['input', 'previous_response_id', 'prompt', 'conversation'];
  const lacksInput = Array.isArray(body['input']) && body['input'].length === 0;
  if (sources.every((name) => !isSet(body[name]) || (name === 'input' && lacksInput))) {
    const message =
      'One of "input" or "previous_response_id" or \'prompt\' or \'conversation_id\' must be provided.';
    return { message, param: 'input', code: 'missing_required_parameter' };
  }
  if (body['background'] === true && body['store'] === false) {
    return {
      message: 'Background mode requires store to be true.',
      param: 'background',
      code: 'invalid_value',
    };
  }
  return null;
}

function wrongTools({ body }: VendorRequest): Problem | null {
  const tools = objectsOf(body['tools']);
  return (
    wrongLength('tools', tools, 0, MOST_TOOLS) ??
    firstProblem(tools.entries(), ([index, { type, name: own, parameters, strict }]) => {
      if (type !== 'function') return null;
      const name = textOf(own);
      const param = `tools[${index}].name`;
      const wrongName = tooLong(param, name, TOOL_NAME_CHARS) ?? wrongPattern(param, name, TOOL_NAME);
      const at = `tools[${index}].parameters`;
      const schema = { name, parameters, isStrict: strict === true, isOpenAi: true, param: at };
      return wrongName ?? schemaProblem(schema);
    }) ??
    wrongChoice(body, tools)
  );
}

function wrongChoice(body: Fields, tools: readonly Fields[]): Problem | null {
  const choice = body['tool_choice'];
  const param = 'tool_choice';
  if (choice === 'required' && tools.length === 0) {
    const message = "Tool choice 'required' must be specified with 'tools' parameter.";
    return { message, param };
  }
  const { type, name } = fieldsOf(choice);
  const isUnknown = type === 'function' && !tools.some((tool) => tool['name'] === name);
  return isUnknown ? { message: `Tool choice '${name}' not found in 'tools' parameter.`, param } : null;
}

function wrongFormat({ body }: VendorRequest): Problem | null {
  const format = fieldsOf(fieldsOf(body['text'])['format']);
  if (format['type'] === 'json_object') {
    if (/json/i.test(JSON.stringify([body['input'], body['instructions']]))) return null;
    const message = `Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.`;
    return { message, param: 'input' };
  }
  if (format['type'] !== 'json_schema') return null;
  const name = textOf(format['name']);
  const wrongName =
    tooLong('text.format.name', name, 64) ?? wrongPattern('text.format.name', name, TOOL_NAME);
  if (wrongName !== null) return wrongName;
  const problem = format['strict'] === true ? openAiSchemaProblem(format['schema']) : null;
  if (problem === null) return null;
  const message = `Invalid schema for response_format '${name}': ${problem}`;
  return { message, param: 'text.format.schema', code: 'invalid_json_schema' };
}

function wrongItems({ body }: VendorRequest): Problem | null {
  return firstProblem(objectsOf(body['input']).entries(), ([index, item]) => {
    const at = `input[${index}]`;
    return (
      wrongId(at, item) ??
      tooLong(`${at}.call_id`, textOf(item['call_id']), CALL_ID_CHARS) ??
      wrongArguments(at, item) ??
      wrongParts(at, item)
    );
  });
}

function wrongId(at: string, { type, role, id }: Fields): Problem | null {
  const kind = textOf(type) || (role === undefined ? '' : 'message');
  const prefix = PREFIXES[kind];
  if (prefix === undefined || !isSet(id) || textOf(id).startsWith(`${prefix}_`)) return null;
  const param = `${at}.id`;
  const found = `Expected an ID that begins with '${prefix}'.`;
  return { message: `Invalid '${param}': '${id}'. ${found}`, param, code: 'invalid_value' };
}

function wrongArguments(at: string, { type, arguments: written, name }: Fields): Problem | null {
  if (type !== 'function_call') return null;
  const param = `${at}.arguments`;
  if (!isJsonObject(textOf(written))) {
    return { message: `Invalid '${param}': expected a JSON object.`, param, code: 'invalid_value' };
  }
  return (
    tooLong(`${at}.name`, textOf(name), TOOL_NAME_CHARS) ??
    wrongPattern(`${at}.name`, textOf(name), TOOL_NAME)
  );
}

/** An assistant's turn holds parts of an answer; any other holds parts of an input. */
function wrongParts(at: string, { role, content, output }: Fields): Problem | null {
  const allowed = role === 'assistant' ? OUTPUT_PARTS : INPUT_PARTS;
  const parts = objectsOf(content ?? output);
  return firstProblem(parts.entries(), ([place, { type, image_url: url }]) => {
    const param = `${at}.${content === undefined ? 'output' : 'content'}[${place}]`;
    if (role !== undefined && !allowed.includes(textOf(type))) {
      const listed = allowed.map((name) => `'${name}'`);
      const message = `Invalid value: '${type}'. Supported values are: ${listed.slice(0, -1).join(', ')} and ${listed.at(-1)}.`;
      return { message, param, code: 'invalid_value' };
    }
    return type === 'input_image' && isSet(url) ? wrongImage(`${param}.image_url`, textOf(url)) : null;
  });
}

function unpairedTools({ body }: VendorRequest): Problem | null {
  const items = objectsOf(body['input']);
  const idsOf = (type: string) =>
    items.filter((item) => item['type'] === type).map(({ call_id: id }) => textOf(id));
  const [called, answered] = [idsOf('function_call'), idsOf('function_call_output')];
  const isChained = isSet(body['previous_response_id']) || isSet(body['conversation']);
  const lost = isChained ? undefined : answered.find((id) => !called.includes(id));
  if (lost !== undefined) {
    return { message: `No tool call found for function call output with call_id ${lost}.`, param: 'input' };
  }
  const open = called.find((id) => !answered.includes(id));
  return open === undefined
    ? null
    : { message: `No tool output found for function call ${open}.`, param: 'input' };
}

/** Reasoning and compactions are encrypted for one account, and reasoning stands before what came of it. */
function wrongReasoning({ body, apiKey }: VendorRequest): Problem | null {
  const items = objectsOf(body['input']);
  return firstProblem(items.entries(), ([index, { type, id, encrypted_content: encrypted }]) => {
    if (type !== 'reasoning' && type !== 'compaction') return null;
    const name = isSet(id) ? ` for item ${id}` : ` ${textOf(encrypted).slice(0, 4)}...`;
    if (isSet(encrypted) && decryptThought(apiKey, textOf(encrypted)) === null) {
      const reason = 'Reason: Encrypted content could not be decrypted or parsed.';
      const message = `The encrypted content${name} could not be verified. ${reason}`;
      return { message, code: 'invalid_encrypted_content' };
    }
    if (type === 'compaction') return null;
    const next = items[index + 1];
    const follows = next !== undefined && (next['role'] === 'assistant' || !isSet(next['role']));
    if (follows) return null;
    const message = `Item '${id ?? ''}' of type 'reasoning' was provided without its required following item.`;
    return { message, param: 'input' };
  });
}

export const OPENAI_RESPONSES_RULES: readonly Rule[] = [
  WELL_FORMED,
  { name: 'fields and their types', source: REFERENCE, find: wrongTypes },
  { name: 'the cap of tokens', source: REFERENCE, find: wrongTokens },
  { name: 'compaction', source: `${OPENAI_DOCS}/guides/compaction`, find: wrongCompaction },
  { name: 'fields that exclude each other', source: REFERENCE, find: excludedFields },
  { name: 'sampling', source: `${OPENAI_DOCS}/guides/reasoning`, find: wrongSampling },
  { name: 'metadata', source: REFERENCE, find: wrongMetadata },
  { name: 'tools', source: `${OPENAI_DOCS}/guides/function-calling`, find: wrongTools },
  { name: 'the format of the answer', source: `${OPENAI_DOCS}/guides/structured-outputs`, find: wrongFormat },
  { name: 'items', source: 'https://github.com/openai/openai-agents-python/issues/1176', find: wrongItems },
  {
    name: 'tool calls and their results',
    source: `${OPENAI_DOCS}/guides/function-calling`,
    find: unpairedTools,
  },
  {
    name: 'encrypted reasoning',
    source: 'https://github.com/openai/codex/issues/8145',
    find: wrongReasoning,
  },
];
