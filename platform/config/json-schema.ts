/**
 * The schema of unbroken.config.yaml as JSON Schema, for editors. Rules that JSON Schema cannot express are checked
 * at loading.
 */
import { z } from 'zod';
import { configSchema } from './schema.ts';

export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return { $schema, title: 'unbroken.config.yaml', ...schema };
}
