/** The routes of usage in the OpenAPI document. */
import { z } from 'zod';
import { usageFailuresSchema, usageLatenciesSchema, usageViewSchema } from '../../contracts/usage.ts';
import { failuresQuerySchema, latenciesQuerySchema, usageQuerySchema } from '../routes/usage/queries.ts';
import { answer, failure, queryOf } from './parts.ts';

export const usageSchemas = {
  Usage: z.toJSONSchema(usageViewSchema),
  UsageLatencies: z.toJSONSchema(usageLatenciesSchema),
  UsageFailures: z.toJSONSchema(usageFailuresSchema),
};

function report(summary: string, query: z.ZodType, name: string) {
  const responses = { 200: answer('The report', name), default: failure };
  return { get: { summary, parameters: queryOf(query), responses } };
}

export const usagePaths = {
  '/v1/usage': report('Tokens, cost and savings in time and by group', usageQuerySchema, 'Usage'),
  '/v1/usage/latencies': report(
    'Times to the first token and to the end',
    latenciesQuerySchema,
    'UsageLatencies',
  ),
  '/v1/usage/failures': report('Failures by provider and code', failuresQuerySchema, 'UsageFailures'),
};
