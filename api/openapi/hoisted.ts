/** Schemas with definitions, for the OpenAPI document. */
import { z } from 'zod';

/** The definitions of a schema become schemas of the document, to which its references lead. */
export function hoisted(name: string, schema: z.ZodType): Readonly<Record<string, object>> {
  const { $defs = {}, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  const text = JSON.stringify({ ...$defs, [name]: rest });
  return JSON.parse(text.replaceAll('#/$defs/', '#/components/schemas/'));
}
