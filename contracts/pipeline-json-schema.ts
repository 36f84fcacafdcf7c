/**
 * The schema of a pipeline as JSON Schema, for editors. What JSON Schema cannot express, such as steps that need each
 * other, is checked when the pipeline is stored or run.
 */
import { z } from 'zod';
import { newPipelineSchema } from './pipelines.ts';

export function pipelineJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(newPipelineSchema, { io: 'input' });
  return { $schema, title: 'A pipeline of Unbroken', ...schema };
}
