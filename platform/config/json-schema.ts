/** The schema of unbroken.config.yaml as JSON Schema, for editors. What it cannot say is checked when it is loaded. */
import { z } from 'zod';
import { configSchema } from './schema.ts';

export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return { $schema, title: 'unbroken.config.yaml', ...schema };
}
