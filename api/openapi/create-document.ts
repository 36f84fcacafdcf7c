/**
 * Puts the OpenAPI 3.1 document together. Its schemas are those that check the requests, so the two cannot disagree.
 */
import { z } from 'zod';
import { wirePaths } from '../wires/wire-paths.ts';
import { budgetPaths, budgetSchemas } from './budgets.ts';
import { cachePaths, cacheSchemas } from './cache.ts';
import { codecPaths, codecSchemas } from './codec.ts';
import { erasurePaths, erasureSchemas } from './erasures.ts';
import { generationPaths, generationSchemas } from './generations.ts';
import { jobPaths, jobSchemas } from './jobs.ts';
import { keyPaths, keySchemas } from './keys.ts';
import { modelPaths, modelSchemas } from './models.ts';
import { promptPaths, promptSchemas } from './prompts.ts';
import { schedulePaths, scheduleSchemas } from './schedules.ts';
import { usagePaths, usageSchemas } from './usage.ts';
import { webhookPaths, webhookSchemas } from './webhooks.ts';

const details = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional();
const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), doc: z.string(), details }),
});

export function createOpenApiDocument() {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Unbroken',
      version: '1',
      description: 'Durable LLM generation. PROTOCOL.md has the prose.',
    },
    security: [{ key: [] }],
    paths: {
      ...budgetPaths,
      ...cachePaths,
      ...codecPaths,
      ...erasurePaths,
      ...jobPaths,
      ...keyPaths,
      ...generationPaths,
      ...modelPaths,
      ...promptPaths,
      ...schedulePaths,
      ...usagePaths,
      ...webhookPaths,
      ...wirePaths,
    },
    components: {
      schemas: {
        ...generationSchemas,
        ...modelSchemas,
        Error: z.toJSONSchema(errorSchema),
        ...promptSchemas,
        ...budgetSchemas,
        ...jobSchemas,
        ...keySchemas,
        ...scheduleSchemas,
        ...usageSchemas,
        ...cacheSchemas,
        ...codecSchemas,
        ...erasureSchemas,
        ...webhookSchemas,
      },
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
    },
  };
}
