/**
 * What the vendors refuse in the schema of a tool that is not strict. Sources: langchain-ai/langchain-mcp-adapters#137
 * (no properties), langchain-ai/langchainjs#9804 and anthropics/claude-code#27337 (alternatives at the root),
 * Dokploy/mcp#74 and AlexGladkov/claude-in-mobile#55 (drafts), aws-solutions-library-samples/
 * accelerated-intelligent-document-processing-on-aws#709 (names of properties).
 */
import { isObject } from './check-types.ts';
import { type Fields, fieldsOf } from './json-values.ts';

const PROPERTY = /^[a-zA-Z0-9_.-]{1,64}$/;
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const SINGLE = ['items', 'additionalProperties', 'contains', 'propertyNames', 'not', 'if', 'then', 'else'];

type Visit = (schema: Fields, path: readonly string[]) => string | null;

/** In the words that follow "Invalid schema for function 'name': ". */
export function openAiToolProblem(schema: unknown): string | null {
  const root = fieldsOf(schema);
  if (['oneOf', 'anyOf', 'allOf', 'enum', 'not'].some((keyword) => root[keyword] !== undefined)) {
    return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.";
  }
  if (root['properties'] === undefined) return 'In context=(), object schema missing properties.';
  return walk(root, [], ({ type, items, prefixItems }, path) => {
    const context = `In context=(${path.map((name) => `'${name}'`).join(', ')})`;
    if (Array.isArray(items))
      return `${context}, ${JSON.stringify(items)} is not of type 'object', 'boolean'.`;
    const lacksItems = type === 'array' && items === undefined && prefixItems === undefined;
    return lacksItems ? `${context}, array schema missing items.` : null;
  });
}

/** In the words that follow the path of the schema. */
export function anthropicToolProblem(schema: unknown): string | null {
  const root = fieldsOf(schema);
  if (['oneOf', 'anyOf', 'allOf'].some((keyword) => root[keyword] !== undefined)) {
    return ': input_schema does not support oneOf, allOf, or anyOf at the top level';
  }
  if (Object.keys(fieldsOf(root['properties'])).some((name) => !PROPERTY.test(name))) {
    return `.properties: Property keys should match pattern '${PROPERTY.source}'`;
  }
  const isOld = walk(root, [], ({ items, exclusiveMinimum, exclusiveMaximum, required, properties }) => {
    const isWrong =
      Array.isArray(items) ||
      Array.isArray(properties) ||
      [exclusiveMinimum, exclusiveMaximum, required].some((value) => typeof value === 'boolean');
    return isWrong ? 'draft' : null;
  });
  return isOld === null ? null : ': JSON schema is invalid. It must match JSON Schema draft 2020-12';
}

function walk(schema: Fields, path: readonly string[], visit: Visit): string | null {
  const found = visit(schema, path);
  if (found !== null) return found;
  const inner = [
    ...NAMED.flatMap((keyword) =>
      Object.entries(fieldsOf(schema[keyword])).map(([name, own]) => [[keyword, name], own] as const),
    ),
    ...LISTS.flatMap((keyword) => {
      const list: unknown = schema[keyword];
      return (Array.isArray(list) ? list : []).map((own, at) => [[keyword, String(at)], own] as const);
    }),
    ...SINGLE.map((keyword) => [[keyword], schema[keyword]] as const),
  ];
  for (const [step, own] of inner) {
    const problem = isObject(own) ? walk(own, [...path, ...step], visit) : null;
    if (problem !== null) return problem;
  }
  return null;
}
