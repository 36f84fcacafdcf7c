/**
 * Whether a value fits a JSON Schema (2020-12, and what draft-07 names differently). Formats are annotations, as the
 * standard has them by default. It guides the sampler at every level; tests hold it against a full validator.
 */
import {
  canonical,
  entriesIn,
  isSchema,
  namesIn,
  numberIn,
  resolveReference,
  type Schema,
  schemasIn,
  typesOf,
} from './schema.ts';

const DEPTH = 64;

export function fitsSchema(root: unknown, schema: unknown, value: unknown, depth = DEPTH): boolean {
  if (typeof schema === 'boolean') return schema;
  if (!isSchema(schema) || depth === 0) return true;
  const fits = (part: unknown, item: unknown) => fitsSchema(root, part, item, depth - 1);
  return (
    fitsReference(root, schema, (target) => fits(target, value)) &&
    fitsTypeAndValues(schema, value) &&
    fitsCombination(schema, (part) => fits(part, value)) &&
    (typeof value !== 'number' || fitsNumber(schema, value)) &&
    (typeof value !== 'string' || fitsString(schema, value)) &&
    (!Array.isArray(value) || fitsArray(schema, value, fits)) &&
    (!isSchema(value) || fitsObject(schema, value, fits))
  );
}

type Fits = (schema: unknown, value: unknown) => boolean;

function fitsReference(root: unknown, schema: Schema, fits: (target: unknown) => boolean): boolean {
  const reference = schema['$ref'] ?? schema['$dynamicRef'];
  return typeof reference !== 'string' || fits(resolveReference(root, reference));
}

function fitsTypeAndValues(schema: Schema, value: unknown): boolean {
  const types = typesOf(schema);
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) return false;
  if ('const' in schema && canonical(schema['const']) !== canonical(value)) return false;
  const allowed = schema['enum'];
  return !Array.isArray(allowed) || allowed.some((item) => canonical(item) === canonical(value));
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isSchema(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function fitsCombination(schema: Schema, fits: (part: unknown) => boolean): boolean {
  const { allOf, anyOf, oneOf } = schema;
  if (Array.isArray(allOf) && !allOf.every(fits)) return false;
  if (Array.isArray(anyOf) && !anyOf.some(fits)) return false;
  if (Array.isArray(oneOf) && oneOf.filter(fits).length !== 1) return false;
  if ('not' in schema && fits(schema['not'])) return false;
  if (!('if' in schema)) return true;
  return fits(schema[fits(schema['if']) ? 'then' : 'else'] ?? true);
}

function fitsNumber(schema: Schema, value: number): boolean {
  const step = numberIn(schema, 'multipleOf');
  return (
    value >= (numberIn(schema, 'minimum') ?? Number.NEGATIVE_INFINITY) &&
    value <= (numberIn(schema, 'maximum') ?? Number.POSITIVE_INFINITY) &&
    value > (numberIn(schema, 'exclusiveMinimum') ?? Number.NEGATIVE_INFINITY) &&
    value < (numberIn(schema, 'exclusiveMaximum') ?? Number.POSITIVE_INFINITY) &&
    (step === undefined || Number.isInteger(value / step))
  );
}

function fitsString(schema: Schema, value: string): boolean {
  const length = Array.from(value).length;
  if (length < (numberIn(schema, 'minLength') ?? 0)) return false;
  if (length > (numberIn(schema, 'maxLength') ?? Number.POSITIVE_INFINITY)) return false;
  return matchesPattern(schema['pattern'], value);
}

/** What is no regular expression is no constraint. */
export function matchesPattern(pattern: unknown, value: string): boolean {
  if (typeof pattern !== 'string') return true;
  const expression = toExpression(pattern);
  return expression === null || expression.test(value);
}

/** Older schemas have patterns that are valid only without the flag `u`. @returns null for no expression at all. */
function toExpression(pattern: string): RegExp | null {
  return compileExpression(pattern, 'u') ?? compileExpression(pattern, '');
}

function compileExpression(pattern: string, flags: string): RegExp | null {
  try {
    return new RegExp(pattern, flags);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function fitsArray(schema: Schema, items: readonly unknown[], fits: Fits): boolean {
  if (items.length < (numberIn(schema, 'minItems') ?? 0)) return false;
  if (items.length > (numberIn(schema, 'maxItems') ?? Number.POSITIVE_INFINITY)) return false;
  if (schema['uniqueItems'] === true && new Set(items.map(canonical)).size < items.length) return false;
  if (!items.every((item, index) => fits(schemaOfItem(schema, index), item))) return false;
  if (!('contains' in schema)) return true;
  const count = items.filter((item) => fits(schema['contains'], item)).length;
  return (
    count >= (numberIn(schema, 'minContains') ?? 1) &&
    count <= (numberIn(schema, 'maxContains') ?? Number.POSITIVE_INFINITY)
  );
}

export function schemaOfItem(schema: Schema, index: number): unknown {
  const isTuple = Array.isArray(schema['items']);
  const first = schemasIn(isTuple ? schema['items'] : schema['prefixItems']);
  if (index < first.length) return first[index];
  return schema[isTuple ? 'additionalItems' : 'items'] ?? true;
}

function fitsObject(schema: Schema, value: Schema, fits: Fits): boolean {
  const names = Object.keys(value);
  if (names.length < (numberIn(schema, 'minProperties') ?? 0)) return false;
  if (names.length > (numberIn(schema, 'maxProperties') ?? Number.POSITIVE_INFINITY)) return false;
  if (!namesIn(schema['required']).every((name) => Object.hasOwn(value, name))) return false;
  if (!names.every((name) => schemasOfProperty(schema, name).every((part) => fits(part, value[name]))))
    return false;
  if ('propertyNames' in schema && !names.every((name) => fits(schema['propertyNames'], name))) return false;
  return dependentsOf(schema).every(
    ([name, dependent]) =>
      !Object.hasOwn(value, name) ||
      (Array.isArray(dependent)
        ? namesIn(dependent).every((other) => Object.hasOwn(value, other))
        : fits(dependent, value)),
  );
}

/** Names that are required, or a schema that counts, where a property is there. */
export function dependentsOf(schema: Schema): (readonly [string, unknown])[] {
  return ['dependentRequired', 'dependentSchemas', 'dependencies'].flatMap((word) => [
    ...entriesIn(schema[word]),
  ]);
}

export function schemasOfProperty(schema: Schema, name: string): readonly unknown[] {
  const { properties, patternProperties, additionalProperties } = schema;
  const own = isSchema(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
  const byPattern = entriesIn(patternProperties)
    .filter(([pattern]) => matchesPattern(pattern, name))
    .map(([, part]) => part);
  const found = [...own, ...byPattern];
  return found.length > 0 || additionalProperties === undefined ? found : [additionalProperties];
}
