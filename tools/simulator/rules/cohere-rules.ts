/** What Cohere's chat (v2) refuses. */
import { checkTypes, type ObjectShape, readTypes, type TypeProblem } from './check-types.ts';
import {
  fieldsOf,
  hasLoneSurrogate,
  imageTypeOf,
  isJsonObject,
  isSet,
  objectsOf,
  textOf,
} from './json-values.ts';
import { firstProblem, type Problem, type Rule, type VendorRequest } from './rule.ts';

const REFERENCE = 'https://docs.cohere.com/reference/chat';
const SEE = `For proper usage, please refer to ${REFERENCE}`;
const TYPES = readTypes('cohere');
/** The SDK sets it by the method that is called. */
const MORE: Readonly<Record<string, ObjectShape>> = { 'V2ChatStreamRequest.Raw': { 'stream?': 'boolean' } };
const MOST_STOPS = 5;

const invalid = (message: string): Problem => ({ message: `invalid request: ${message}` });

function wrongTypes({ body }: VendorRequest): Problem | null {
  const problem = checkTypes(TYPES, body, { more: MORE });
  if (problem === null) return null;
  const name = problem.path.at(-1);
  const place = placeOf(problem.path);
  switch (problem.kind) {
    case 'unknown':
      return { status: 422, message: `unknown field: parameter '${name}' is not a valid field. ${SEE}` };
    case 'missing':
      return invalid(`parameter '${place}' is required. ${SEE}`);
    case 'type': {
      const found = Array.isArray(problem.value) ? 'array' : typeof problem.value;
      const expected = problem.expected.filter((kind) => kind !== 'null').join(' or ');
      return {
        message: `invalid type: parameter '${place}' is of type ${found} but should be of type ${expected}. ${SEE}`,
      };
    }
    case 'value':
      return invalid(`parameter '${place}' must be one of ${problem.allowed.join(', ')}. ${SEE}`);
  }
}

function placeOf(path: TypeProblem['path']): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .slice(1);
}

function wrongRanges({ body }: VendorRequest): Problem | null {
  const limits = [
    ['max_tokens', 0, Infinity],
    ['temperature', 0, Infinity],
    ['p', 0.01, 0.99],
    ['k', 0, 500],
    ['frequency_penalty', 0, 1],
    ['presence_penalty', 0, 1],
  ] as const;
  const range = firstProblem(limits, ([name, least, most]) => {
    const value = body[name];
    if (!isSet(value) || (Number(value) >= least && Number(value) <= most)) return null;
    const bounds =
      most === Infinity ? `greater than or equal to ${least}` : `between ${least} and ${most} inclusive`;
    return invalid(`${name} must be ${bounds}.`);
  });
  const stops = Array.isArray(body['stop_sequences']) ? body['stop_sequences'].length : 0;
  return (
    range ?? (stops > MOST_STOPS ? invalid(`too many stop sequences: the maximum is ${MOST_STOPS}.`) : null)
  );
}

function wrongMessages({ body }: VendorRequest): Problem | null {
  const messages = objectsOf(body['messages']);
  if (messages.length === 0) return invalid('messages must have at least one message.');
  const last = messages.at(-1)?.['role'];
  if (last !== 'user' && last !== 'tool') return invalid('the last message must be from the user or a tool.');
  return firstProblem(messages.entries(), ([index, { role, content, tool_calls: calls }]) => {
    const isEmpty =
      content === undefined ||
      content === null ||
      content === '' ||
      (Array.isArray(content) && content.length === 0);
    if (role === 'assistant') {
      const lacksAll = isEmpty && objectsOf(calls).length === 0;
      return lacksAll
        ? invalid(`messages[${index}]: an assistant message must have content or tool_calls.`)
        : null;
    }
    if (role !== 'tool' && isEmpty)
      return invalid(`messages[${index}]: message must be at least 1 token long.`);
    return firstProblem(objectsOf(content), ({ type, image_url: image }) => {
      if (type !== 'image_url') return null;
      const [, data] = /^data:image\/[a-z]+;base64,(.*)$/s.exec(textOf(fieldsOf(image)['url'])) ?? [];
      return data !== undefined && imageTypeOf(data) === ''
        ? invalid('invalid image: unsupported image format.')
        : null;
    });
  });
}

function unpairedTools({ body }: VendorRequest): Problem | null {
  let open: string[] = [];
  return (
    firstProblem(
      objectsOf(body['messages']).entries(),
      ([index, { role, tool_call_id: id, tool_calls: calls }]) => {
        if (role === 'tool') {
          if (!open.includes(textOf(id))) {
            return invalid(
              `messages[${index}]: tool call id ${id} not found in the tool calls of the message before.`,
            );
          }
          open = open.filter((own) => own !== id);
          return null;
        }
        if (open.length > 0) return invalid(`tool calls without results: ${open.join(', ')}.`);
        open = objectsOf(calls).map(({ id: own }) => textOf(own));
        return firstProblem(objectsOf(calls), ({ function: called }) =>
          isJsonObject(textOf(fieldsOf(called)['arguments']))
            ? null
            : invalid('the arguments of a tool call must be a valid JSON object.'),
        );
      },
    ) ?? (open.length > 0 ? invalid(`tool calls without results: ${open.join(', ')}.`) : null)
  );
}

function wrongTools({ body }: VendorRequest): Problem | null {
  const tools = objectsOf(body['tools']);
  if (isSet(body['tool_choice']) && tools.length === 0) return invalid('tool_choice requires tools.');
  const format = fieldsOf(body['response_format']);
  if (format['type'] === 'json_object' && tools.length > 0) {
    return invalid("response_format of type 'json_object' is not supported with tools.");
  }
  const wrongName = tools.find(
    (tool) => !/^[a-zA-Z0-9_-]+$/.test(textOf(fieldsOf(tool['function'])['name'])),
  );
  if (wrongName !== undefined)
    return invalid('tool names can only contain letters, digits, underscores and dashes.');
  const schema = format['json_schema'];
  return isSet(schema) && fieldsOf(schema)['type'] !== 'object'
    ? invalid("response_format is not valid: the top level of json_schema must be of type 'object'.")
    : null;
}

export const COHERE_RULES: readonly Rule[] = [
  {
    name: 'text is well-formed Unicode',
    source: 'https://www.rfc-editor.org/rfc/rfc8259#section-8.2',
    find: ({ body }) => (hasLoneSurrogate(body) ? invalid('the request body is not valid JSON.') : null),
  },
  {
    name: 'fields and their types',
    source: 'https://github.com/agno-agi/agno/issues/3503',
    find: wrongTypes,
  },
  { name: 'ranges', source: REFERENCE, find: wrongRanges },
  { name: 'messages', source: REFERENCE, find: wrongMessages },
  {
    name: 'tool calls and their results',
    source: 'https://docs.cohere.com/docs/tool-use-overview',
    find: unpairedTools,
  },
  { name: 'tools', source: 'https://docs.cohere.com/docs/structured-outputs', find: wrongTools },
];
