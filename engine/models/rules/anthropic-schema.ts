/**
 * The schema of an answer as Claude takes it. The vendor's own library moves what structured outputs do not support
 * (bounds, lengths, patterns) into descriptions, as its clients do. Source: Anthropic, "Structured outputs".
 */
import { transformJSONSchema } from '@anthropic-ai/sdk/lib/transform-json-schema';
import { isExactNumber } from '../../../contracts/json.ts';
import type { SchemaFault } from './strict-schema.ts';
import { isObjectType, mapSchemas, someSchema } from './tool-schema.ts';

type Schema = Readonly<Record<string, unknown>>;

const BOUNDS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
];

/** The parameters of a strict tool, which has the limits of an answer; the same where Claude takes them as they are. */
export function toStrictParameters(schema: Schema): Schema {
  const isRefused = someSchema(schema, (own) => {
    const { type, minItems = 0, additionalProperties: more } = own;
    const isBound = BOUNDS.some((keyword) => keyword in own) || Number(minItems) > 1;
    return isBound || (isObjectType(type) && more === undefined);
  });
  return isRefused && anthropicSchemaFault(schema) === null ? toAnthropicSchema(schema) : schema;
}

/** Call only for a schema without a fault. */
export function toAnthropicSchema(schema: Schema): Record<string, unknown> {
  return transformJSONSchema(withApartTypes(schema) as never) as unknown as Record<string, unknown>;
}

/**
 * An object or list that may also be something else, as strict schemas of other vendors have them for what may be
 * missing. The library reads a single type: of several, it would leave the properties and items to the description.
 */
function withApartTypes(value: Schema): Schema {
  const schema = mapSchemas(value, withApartTypes);
  const { type, description, ...rest } = schema;
  const isWritten = !Array.isArray(type) || 'enum' in rest || 'const' in rest;
  if (isWritten || !type.some((own) => own === 'object' || own === 'array')) return schema;
  const variants = type.map((own: unknown) => (own === 'null' ? { type: own } : { ...rest, type: own }));
  return { anyOf: variants, ...(description === undefined ? {} : { description }) };
}

/** What closing every object, as Claude requires, would turn into another schema; null where there is nothing. */
export function anthropicSchemaFault(schema: Schema): SchemaFault | null {
  const open = openObjectFault(schema);
  if (open !== null) return open;
  try {
    toAnthropicSchema(schema);
    return null;
  } catch (error) {
    return { path: '', demand: `is not supported: ${error instanceof Error ? error.message : 'unknown'}` };
  }
}

export function openObjectFault(schema: Schema): SchemaFault | null {
  return openObject(schema, '');
}

/** The first object that may have other properties than those listed. */
function openObject(value: unknown, path: string): SchemaFault | null {
  if (Array.isArray(value)) return firstOf(value.map((own, at) => [`${path}${at}.`, own] as const));
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return null;
  const schema = value as Schema;
  const { type, properties, additionalProperties: more } = schema;
  const isEmpty = properties === undefined || Object.keys(Object(properties)).length === 0;
  if ((more !== undefined && more !== false) || (isObjectType(type) && isEmpty && more !== false)) {
    const demand = 'must list its properties and have "additionalProperties": false';
    return { path: path.replace(/\.$/, ''), demand };
  }
  return firstOf(innerOf(schema, path));
}

/** The schemas within one, by their paths. */
function innerOf({ properties, $defs, items, anyOf, oneOf, allOf }: Schema, path: string) {
  const named = (keyword: string, own: unknown) =>
    Object.entries(Object(own)).map(([name, inner]) => [`${path}${keyword}.${name}.`, inner] as const);
  return [
    ...named('properties', properties),
    ...named('$defs', $defs),
    ...[
      ['items', items] as const,
      ['anyOf', anyOf] as const,
      ['oneOf', oneOf] as const,
      ['allOf', allOf] as const,
    ].map(([keyword, own]) => [`${path}${keyword}.`, own] as const),
  ];
}

function firstOf(entries: readonly (readonly [string, unknown])[]): SchemaFault | null {
  for (const [path, own] of entries) {
    const fault = openObject(own, path);
    if (fault !== null) return fault;
  }
  return null;
}
