/**
 * Schemas as strict modes take them. Sources: OpenAI, "Structured outputs", supported schemas; Anthropic, "Structured
 * outputs", JSON Schema limitations.
 */
import { isObject } from './check-types.ts';
import { type Fields, objectsOf } from './json-values.ts';

interface Place {
  readonly schema: Fields;
  readonly path: readonly string[];
}

/** All subschemas, the outermost first. */
function* subschemas(schema: unknown, path: readonly string[] = []): Generator<Place> {
  if (!isObject(schema)) return;
  yield { schema, path };
  for (const name of ['properties', '$defs', 'definitions']) {
    const held = schema[name];
    if (!isObject(held)) continue;
    for (const [key, own] of Object.entries(held)) yield* subschemas(own, [...path, name, key]);
  }
  for (const name of ['anyOf', 'oneOf', 'allOf']) {
    for (const [index, own] of objectsOf(schema[name]).entries()) {
      yield* subschemas(own, [...path, name, String(index)]);
    }
  }
  for (const name of ['items', 'not']) yield* subschemas(schema[name], [...path, name]);
}

function isObjectSchema({ type, properties }: Fields): boolean {
  const types = Array.isArray(type) ? type : [type];
  return types.includes('object') || (type === undefined && properties !== undefined);
}

const OPENAI_REFUSES = [
  'allOf',
  'oneOf',
  'not',
  'dependentRequired',
  'dependentSchemas',
  'if',
  'then',
  'else',
  'patternProperties',
];

/** Source: https://github.com/cyanheads/git-mcp-server/issues/47 */
const OPENAI_FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];

/** @returns what OpenAI says of the schema, after `Invalid schema for ...: `; null for one that it takes. */
export function openAiSchemaProblem(schema: unknown): string | null {
  if (!isObject(schema)) return 'schema must be a JSON Schema of \'type: "object"\', got \'type: "None"\'.';
  const { type = 'None' } = schema;
  if (type !== 'object') return `schema must be a JSON Schema of 'type: "object"', got 'type: "${type}"'.`;
  for (const { schema: own, path } of subschemas(schema)) {
    const context = `In context=${tupleOf(path)}`;
    const refused = OPENAI_REFUSES.find((name) => own[name] !== undefined);
    if (refused !== undefined) return `${context}, '${refused}' is not permitted.`;
    // https://github.com/langchain-ai/langchainjs/pull/11384
    const beside = Object.keys(own).filter((name) => name !== '$ref');
    if (own['$ref'] !== undefined && beside.length > 0) {
      return `context=${tupleOf(path)}, $ref cannot have keywords {${beside.map((name) => `'${name}'`).join(', ')}}.`;
    }
    const isTyped = ['type', 'anyOf', '$ref', 'enum', 'const'].some((name) => own[name] !== undefined);
    if (!isTyped) return `${context}, schema must have a 'type' key.`;
    const { format } = own;
    if (format !== undefined && !OPENAI_FORMATS.includes(String(format))) {
      return `${context}, '${format}' is not a valid format.`;
    }
    if (own['type'] === 'array' && own['items'] === undefined) {
      return `${context}, array schema missing items.`;
    }
    if (!isObjectSchema(own)) continue;
    if (own['additionalProperties'] !== false) {
      return `${context}, 'additionalProperties' is required to be supplied and to be false.`;
    }
    const required = Array.isArray(own['required']) ? own['required'] : [];
    const missing = Object.keys(own['properties'] ?? {}).find((name) => !required.includes(name));
    if (missing !== undefined) {
      return `${context}, 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
    }
  }
  return null;
}

/** Python's way to write it, which the vendor shows. */
function tupleOf(path: readonly string[]): string {
  const quoted = path.map((name) => `'${name}'`).join(', ');
  return path.length === 1 ? `(${quoted},)` : `(${quoted})`;
}

const ANTHROPIC_REFUSES: Readonly<Record<string, readonly string[]>> = {
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength'],
  array: ['maxItems', 'uniqueItems'],
  object: ['minProperties', 'maxProperties', 'patternProperties'],
};

/** @returns what Anthropic says of the schema, after its place; null for one that it takes. */
export function anthropicSchemaProblem(schema: unknown): string | null {
  for (const { schema: own } of subschemas(schema)) {
    if (isObjectSchema(own) && own['additionalProperties'] !== false) {
      return own['additionalProperties'] === undefined
        ? "For 'object' type, 'additionalProperties' must be explicitly set to false"
        : "For 'object' type, 'additionalProperties: true' is not supported. Please set 'additionalProperties' to false";
    }
    const type = String(own['type']);
    const refused = (ANTHROPIC_REFUSES[type] ?? []).filter((name) => own[name] !== undefined);
    if (refused.length > 0) return `For '${type}' type, properties ${refused.join(', ')} are not supported`;
    const least = own['minItems'];
    if (typeof least === 'number' && least > 1) {
      return `For 'array' type, 'minItems' values other than 0 or 1 are not supported`;
    }
  }
  return null;
}
