/** Writes unbroken.config.schema.json, by which an editor checks and completes unbroken.config.yaml. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '../platform/config/json-schema.ts';

const path = join(import.meta.dirname, '..', 'unbroken.config.schema.json');
writeFileSync(path, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
