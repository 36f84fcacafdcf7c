/**
 * The parameters of a function in a form that a vendor takes. Generators and MCP servers write schemas of older drafts,
 * alternatives at the root, and objects without properties; one such tool, and the vendor refuses the whole request.
 * Sources: OpenAI, "Function calling", and its errors ("object schema missing properties", "not have 'oneOf'/'anyOf'/
 * 'allOf'/'enum'/'not' at the top level", "array schema missing items"); Anthropic, "Define tools", and its errors;
 * JSON Schema 2020-12, release notes.
 */
import { functionTools, type Tool } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { isJsonObject } from '../../../contracts/json.ts';

type Schema = Readonly<Record<string, unknown>>;

export interface ParametersRule {
  /** Whether alternatives may stand at the root, and schemas of older drafts in it. */
  readonly takesAnyDraft: boolean;
  /** Whether the items of every list must have a schema, even an empty one. */
  readonly needsItems: boolean;
  /** Whether a reference stands alone but for a description and a default, and no draft is named. */
  readonly hasBareReferences?: true;
}

interface FittedTools {
  readonly tools: GenerationInput['tools'];
  /** What the schemas no longer say. */
  readonly dropped: readonly string[];
}

/** A root is at most so many references away from its schema. */
const MOST_REFERENCES = 8;
/** Alternatives of a root that are read: references within them may name each other many times at each step. */
const MOST_ALTERNATIVES = 2_000;
/** `$defs` at the root may stand beside a reference, too. */
const BESIDE_REFERENCE = ['$ref', '$defs', 'definitions', 'description', 'default'];
const COMBINED = ['allOf', 'anyOf', 'oneOf'] as const;
const UNSUPPORTED = ['enum', 'not'] as const;
/** Keywords with one schema, a list of schemas, and schemas by name. */
const SCHEMA = [
  'items',
  'additionalItems',
  'additionalProperties',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const SCHEMAS = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

/** A strict tool stays as it is but for its references: strict mode has other rules. */
export function fitToolParameters(tools: GenerationInput['tools'], rule: ParametersRule): FittedTools {
  const dropped = new Set<string>();
  const fitted = tools?.map((tool) => {
    if ('format' in tool) return tool;
    const parameters =
      tool.strict === true && !rule.hasBareReferences
        ? withPlainReferences(tool.parameters)
        : fitParameters(tool.parameters, rule, dropped);
    return parameters === tool.parameters ? tool : { ...tool, parameters };
  });
  const isSame = fitted?.every((tool, index) => tool === tools?.[index]) ?? true;
  return { tools: isSame ? tools : fitted, dropped: [...dropped] };
}

/** The first tool with a property of a name that does not match, and that name. */
export function findPropertyName(
  tools: GenerationInput['tools'],
  pattern: RegExp,
): { readonly tool: Tool; readonly name: string } | null {
  for (const tool of functionTools(tools)) {
    const { properties } = tool.parameters;
    const name = Object.keys(isJsonObject(properties) ? properties : {}).find((own) => !pattern.test(own));
    if (name !== undefined) return { tool, name };
  }
  return null;
}

function fitParameters(schema: Schema, rule: ParametersRule, dropped: Set<string>): Schema {
  const parameters = withOwnRoot(schema);
  if (rule.hasBareReferences) return withObjectType(withReferencesAlone(parameters));
  if (rule.takesAnyDraft) return withObjectType(parameters);
  const current = toCurrentDraft(parameters, rule.needsItems);
  // What it has become is no longer of the draft that it names.
  const undated = current === parameters ? current : without(current, ['$schema']);
  return withObjectType(withPlainRoot(undated, { dropped, left: MOST_ALTERNATIVES }));
}

/** A schema that is a reference at its root, as generators write what refers to itself: the schema that it names. */
export function withOwnRoot(schema: Schema): Schema {
  return ofReference(schema, schema, 0);
}

/** As strict modes want it, whose references stand alone: what says more is the schema that it names, and that. */
export function withPlainReferences(schema: Schema): Schema {
  const root = withOwnRoot(schema);
  const alone = (own: Schema): Schema => {
    const { $ref: name } = own;
    return typeof name === 'string' ? { $ref: name } : mapSchemas(own, alone);
  };
  const named = mapSchemas(root, alone);
  const plain = (own: Schema): Schema => {
    const { $ref: name, ...beside } = own;
    if (typeof name !== 'string') return mapSchemas(own, plain);
    if (Object.keys(beside).length === 0) return own;
    const found = ofReference({ $ref: name }, named, 0);
    return '$ref' in found ? found : { ...found, ...beside };
  };
  return mapSchemas(root, plain);
}

/** Where a reference may have a description, and nothing else beside it. */
export function withReferencesAlone(schema: Schema): Schema {
  return withBareReferences(withoutDraft(schema));
}

function withoutDraft(schema: Schema): Schema {
  return '$schema' in schema ? without(schema, ['$schema']) : schema;
}

function withBareReferences(value: Schema): Schema {
  const walked = mapSchemas(value, withBareReferences);
  const extra = Object.keys(walked).filter((name) => !BESIDE_REFERENCE.includes(name));
  return '$ref' in walked && extra.length > 0 ? without(walked, extra) : walked;
}

/** The keywords of drafts before 2020-12 in its own; the same object where there are none. */
function toCurrentDraft(value: Schema, needsItems: boolean): Schema {
  const walked = mapSchemas(value, (own) => toCurrentDraft(own, needsItems));
  return withItems(withoutOldKeywords(walked), needsItems);
}

/** Replaces the schemas directly within one; the same object where none changes. */
export function mapSchemas(value: Schema, map: (schema: Schema) => Schema): Schema {
  const inner = (own: unknown) => (isJsonObject(own) ? map(own) : own);
  return mapMembers(value, (name, own) => {
    if (NAMED.includes(name)) return isJsonObject(own) ? mapMembers(own, (_, named) => inner(named)) : own;
    if (SCHEMAS.includes(name) && Array.isArray(own)) return mapItems(own, inner);
    return SCHEMA.includes(name) ? inner(own) : own;
  });
}

/** Whether this is true of the schema or of one within it. */
export function someSchema(schema: Schema, isSo: (schema: Schema) => boolean): boolean {
  let isFound = false;
  const look = (own: Schema): Schema => {
    isFound ||= isSo(own);
    return mapSchemas(own, look);
  };
  look(schema);
  return isFound;
}

export function isObjectType(type: unknown): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object'));
}

function withoutOldKeywords(schema: Schema): Schema {
  const { items, additionalItems, exclusiveMinimum, exclusiveMaximum, properties, required } = schema;
  const changed: Record<string, unknown> = {};
  const removed: string[] = [];
  if (Array.isArray(items)) {
    removed.push('items', 'additionalItems');
    if (items.length > 0) changed['prefixItems'] = items;
    if (additionalItems !== undefined) changed['items'] = additionalItems;
  }
  for (const [keyword, exclusive, bound] of [
    ['exclusiveMinimum', exclusiveMinimum, 'minimum'],
    ['exclusiveMaximum', exclusiveMaximum, 'maximum'],
  ] as const) {
    if (typeof exclusive !== 'boolean') continue;
    removed.push(keyword);
    if (!exclusive || schema[bound] === undefined) continue;
    removed.push(bound);
    changed[keyword] = schema[bound];
  }
  if (typeof required === 'boolean') removed.push('required');
  // PHP writes an empty object so.
  if (Array.isArray(properties) && properties.length === 0) changed['properties'] = {};
  if (removed.length === 0 && Object.keys(changed).length === 0) return schema;
  return { ...without(schema, removed), ...changed };
}

function withItems(schema: Schema, needsItems: boolean): Schema {
  const { type, items, prefixItems } = schema;
  const isList = type === 'array' || (Array.isArray(type) && type.includes('array'));
  return needsItems && isList && items === undefined && prefixItems === undefined
    ? { ...schema, items: {} }
    : schema;
}

interface RootWalk {
  /** What the schema no longer says. */
  readonly dropped: Set<string>;
  /** How many more alternatives are read. */
  left: number;
}

/** An object with the properties of all alternatives at the root; required is what all of them require. */
function withPlainRoot(schema: Schema, walk: RootWalk, references = 0): Schema {
  const own = ofReference(schema, schema, references);
  const combined = COMBINED.filter((keyword) => Array.isArray(own[keyword]));
  const unsupported = UNSUPPORTED.filter((keyword) => own[keyword] !== undefined);
  if (combined.length === 0 && unsupported.length === 0) return own;
  for (const keyword of unsupported) walk.dropped.add(`tools.parameters.${keyword}`);
  const plain = without(own, [...combined, ...unsupported]);
  const rooted = isJsonObject(plain['properties']) ? plain['properties'] : {};
  const found = new Map<string, Map<string, unknown>>();
  const required = new Set(namesIn(plain['required']));
  for (const keyword of combined) {
    const variants = (own[keyword] as readonly unknown[]).filter(isJsonObject).map((variant) => {
      const resolved = ofReference(variant, own, references);
      walk.left -= 1;
      const isRead = references < MOST_REFERENCES && walk.left >= 0;
      return isRead ? withPlainRoot(resolved, walk, references + 1) : resolved;
    });
    if (keyword !== 'allOf') walk.dropped.add(`tools.parameters.${keyword}`);
    for (const variant of variants) {
      for (const [name, value] of Object.entries(Object(variant['properties']))) {
        const values = found.get(name) ?? new Map<string, unknown>();
        if (!Object.hasOwn(rooted, name)) found.set(name, values.set(JSON.stringify(value), value));
      }
    }
    for (const name of requiredBy(variants, keyword === 'allOf')) required.add(name);
  }
  const isWider = found.size > 0 && plain['additionalProperties'] === false;
  const properties = [...found].map(([name, values]) => [name, oneOf([...values.values()])] as const);
  return {
    ...without(plain, isWider ? ['additionalProperties'] : []),
    type: 'object',
    properties: { ...rooted, ...Object.fromEntries(properties) },
    ...(required.size === 0 ? {} : { required: [...required] }),
  };
}

function requiredBy(variants: readonly Schema[], isAll: boolean): readonly string[] {
  const lists = variants.map(({ required }) => namesIn(required));
  if (isAll) return lists.flat();
  const [first = [], ...others] = lists;
  const sets = others.map((list) => new Set(list));
  return first.filter((name) => sets.every((set) => set.has(name)));
}

/** A schema for what any of these fits. */
function oneOf([first, ...others]: readonly unknown[]): unknown {
  if (others.length === 0) return first;
  const isList = isJsonObject(first) && Array.isArray(first['anyOf']) && Object.keys(first).length === 1;
  return { anyOf: [...(isList ? (first['anyOf'] as unknown[]) : [first]), ...others] };
}

/** What a reference within the schema names, with what stands beside it. */
function ofReference(schema: Schema, root: Schema, references: number): Schema {
  const { $ref: reference } = schema;
  if (typeof reference !== 'string' || references >= MOST_REFERENCES) return schema;
  const [, place, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? [];
  const defined = place === undefined ? undefined : root[place];
  const target = isJsonObject(defined) && name !== undefined ? memberOf(defined, name) : undefined;
  if (!isJsonObject(target)) return schema;
  return ofReference({ ...target, ...without(schema, ['$ref']) }, root, references + 1);
}

/** What a part of a reference names. Clients escape it, or write a % as it is. */
function memberOf(defined: Schema, part: string): unknown {
  let name = part;
  try {
    name = decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
  return Object.hasOwn(defined, name) ? defined[name] : undefined;
}

function withObjectType(schema: Schema): Schema {
  const { type, properties } = schema;
  const isObject = type === undefined || type === null || isObjectType(type);
  if (!isObject || schema['$ref'] !== undefined) return schema;
  const lacksProperties = properties === undefined || (Array.isArray(properties) && properties.length === 0);
  if (type === 'object' && !lacksProperties) return schema;
  return { ...schema, type: 'object', ...(lacksProperties ? { properties: {} } : {}) };
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

function without(schema: Schema, names: readonly string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)));
}

function mapMembers(schema: Schema, map: (name: string, value: unknown) => unknown): Schema {
  const entries = Object.entries(schema);
  const mapped = entries.map(([name, value]) => [name, map(name, value)] as const);
  return mapped.every(([, value], index) => value === entries[index]?.[1])
    ? schema
    : Object.fromEntries(mapped);
}

function mapItems(items: readonly unknown[], map: (value: unknown) => unknown): readonly unknown[] {
  const mapped = items.map(map);
  return mapped.every((value, index) => value === items[index]) ? items : mapped;
}
