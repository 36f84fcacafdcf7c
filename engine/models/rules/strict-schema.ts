/**
 * What OpenAI's strict mode demands of a JSON Schema. Source: OpenAI, "Structured model outputs", "Supported schemas".
 */
import { isJsonObject } from '../../../contracts/json.ts';
import { isObjectType, mapSchemas, someSchema } from './tool-schema.ts';

export interface SchemaFault {
  /** Where in the schema, such as `properties.a`; '' for the whole. */
  readonly path: string;
  readonly demand: string;
}

type Schema = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 10;
const MAX_PROPERTIES = 5_000;
const MAX_ENUM_VALUES = 1_000;
const FORBIDDEN = [
  'allOf',
  'oneOf',
  'not',
  'if',
  'then',
  'else',
  'dependentRequired',
  'dependentSchemas',
  'patternProperties',
] as const;
/** A schema with one of these needs no type. */
const TYPED_BY = ['type', '$ref', 'anyOf', 'enum', 'const'] as const;

/** What strict mode is sure to take; it refuses some keywords, and others have come and gone. */
const TAKEN = [
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'anyOf',
  'enum',
  'const',
  '$ref',
  '$defs',
  'definitions',
  '$schema',
  'title',
  'description',
  'pattern',
  'format',
  'multipleOf',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
];
const FORMATS = ['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'];

/** Formats that strict mode refuses, such as that of an address, as words. */
export function withFormatsInWords(value: Schema): Schema {
  const schema = mapSchemas(value, withFormatsInWords);
  const { format, description, ...rest } = schema;
  if (typeof format !== 'string' || FORMATS.includes(format)) return schema;
  const before = typeof description === 'string' ? `${description}\n\n` : '';
  return { ...rest, description: `${before}{format: "${format}"}` };
}

/** Whether the vendor is sure to take a schema in strict mode, for a request that has not asked for that mode. */
export function fitsStrictMode(schema: Schema): boolean {
  const isUnsure = someSchema(schema, (own) => {
    const { type, format, items, additionalProperties: more } = own;
    const isList = type === 'array' || (Array.isArray(type) && type.includes('array'));
    return (
      !Object.keys(own).every((keyword) => TAKEN.includes(keyword)) ||
      (format !== undefined && !FORMATS.includes(String(format))) ||
      (isObjectType(type) && more !== false) ||
      (isList && items === undefined)
    );
  });
  return !isUnsure && strictSchemaFault(schema) === null;
}

/** The first fault; null for a schema that strict mode takes. */
export function strictSchemaFault(schema: Schema): SchemaFault | null {
  if (schema['type'] !== 'object') return { path: '', demand: 'must be of type "object"' };
  if (schema['anyOf'] !== undefined) return { path: '', demand: 'must not have anyOf at its root' };
  return new StrictCheck().faultOf(schema, '', 1);
}

class StrictCheck {
  #properties = 0;
  #enumValues = 0;

  faultOf(schema: unknown, path: string, depth: number): SchemaFault | null {
    if (!isJsonObject(schema)) return { path, demand: 'must be a schema' };
    const forbidden = FORBIDDEN.find((keyword) => schema[keyword] !== undefined);
    if (forbidden !== undefined) return { path, demand: `must not have ${forbidden}` };
    if (!TYPED_BY.some((keyword) => schema[keyword] !== undefined)) {
      return { path, demand: 'must have a type' };
    }
    this.#enumValues += Array.isArray(schema['enum']) ? schema['enum'].length : 0;
    if (this.#enumValues > MAX_ENUM_VALUES) {
      return { path, demand: `must not bring the enum values to more than ${MAX_ENUM_VALUES}` };
    }
    const isObject = schema['type'] === 'object' || schema['properties'] !== undefined;
    return (
      (isObject ? this.#objectFault(schema, path, depth) : null) ?? this.#innerFault(schema, path, depth)
    );
  }

  #objectFault(schema: Schema, path: string, depth: number): SchemaFault | null {
    if (depth > MAX_DEPTH) return { path, demand: `must not be nested deeper than ${MAX_DEPTH} levels` };
    if (schema['additionalProperties'] !== false) {
      return { path, demand: 'must have "additionalProperties": false' };
    }
    const properties = schema['properties'] ?? {};
    if (!isJsonObject(properties)) return { path, demand: 'must have an object as properties' };
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    const names = Object.keys(properties);
    this.#properties += names.length;
    if (this.#properties > MAX_PROPERTIES) {
      return { path, demand: `must not bring the properties to more than ${MAX_PROPERTIES}` };
    }
    const optional = names.find((name) => !required.includes(name));
    if (optional !== undefined) return { path, demand: `must list "${optional}" in required` };
    return firstFault(names, (name) =>
      this.faultOf(properties[name], join(path, `properties.${name}`), depth + 1),
    );
  }

  #innerFault(schema: Schema, path: string, depth: number): SchemaFault | null {
    const { items, anyOf } = schema;
    const inItems = items === undefined ? null : this.faultOf(items, join(path, 'items'), depth);
    if (inItems !== null) return inItems;
    const variants = Array.isArray(anyOf) ? anyOf.map((own, at) => [`anyOf.${at}`, own] as const) : [];
    const defined = ['$defs', 'definitions'].flatMap((keyword) => {
      const own = schema[keyword];
      return isJsonObject(own)
        ? Object.entries(own).map(([name, value]) => [`${keyword}.${name}`, value] as const)
        : [];
    });
    return firstFault([...variants, ...defined], ([name, own]) => this.faultOf(own, join(path, name), depth));
  }
}

function firstFault<Item>(
  items: readonly Item[],
  faultOf: (item: Item) => SchemaFault | null,
): SchemaFault | null {
  for (const item of items) {
    const fault = faultOf(item);
    if (fault !== null) return fault;
  }
  return null;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
