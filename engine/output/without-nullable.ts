/**
 * Leaves out OpenAPI's `nullable` where it says nothing: OpenAPI gives it a meaning only beside a `type`, JSON Schema
 * does not know it, and Ajv refuses a schema that has it elsewhere.
 */
import { mapSchemas, type Schema } from './map-schemas.ts';

export function withoutNullable(schema: Schema): Schema {
  const { nullable, ...rest } = schema;
  return mapSchemas(saysSomething(schema) ? { ...rest, nullable } : rest, withoutNullable);
}

function saysSomething({ type, nullable }: Schema): boolean {
  return type !== undefined && nullable === true;
}
