/** Writes unbroken.pipeline.schema.json, by which an editor checks and completes the file of a pipeline. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipelineJsonSchema } from '../contracts/pipeline-json-schema.ts';

const path = join(import.meta.dirname, '..', 'unbroken.pipeline.schema.json');
writeFileSync(path, `${JSON.stringify(pipelineJsonSchema(), null, 2)}\n`);
