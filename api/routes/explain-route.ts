/** `POST /v1/routes/explain`: what would be asked for this request, why, and what each model would cost. Free. */
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { circuitStates } from '../../routing/route-facts.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readRequest } from '../read-request.ts';
import { inputFor } from '../submit-generation.ts';

export const explanationSchema = z.object({
  route: z.string(),
  task: z
    .object({
      task: z.string(),
      source: z.enum(['caller', 'classifier']),
      because: z.string(),
    })
    .nullable()
    .describe('null: the route has no models for tasks'),
  inputTokens: z.int().describe('At most.'),
  maxOutputTokens: z.int(),
  models: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      place: z.int().nullable().describe('1 is asked first; null: not asked'),
      why: z.string(),
      maxCostMicroUsd: z.int().nullable().describe('The most that it can cost; null: no price is known'),
      contextTokens: z.int().nullable(),
      firstTokenMs: z.number().nullable().describe('As all workers saw it lately'),
      tokensPerSecond: z.number().nullable(),
      circuit: z.enum(circuitStates),
    }),
  ),
  onContextLength: z.array(z.string()).describe('Asked only after an input was too long'),
  onContentPolicy: z.enum(['tell', 'fall-back']),
  whenFull: z.enum(['next', 'wait']),
  cachedAnswer: z.boolean(),
});
export type RouteExplanation = z.infer<typeof explanationSchema>;

export function explainRoute({ config, routes, health }: ApiDependencies): RequestHandler {
  return async (request, response) => {
    const asked = readRequest(request);
    const input = inputFor(config, asked);
    const named = routes.choose(asked, input, 'explain').considered.map(({ provider }) => provider);
    await health.refresh(named);
    const { routeName, task, inputTokens, considered, plan } = routes.choose(asked, input, 'explain');
    const { onContentPolicy, whenFull, cachedAnswer } = plan;
    const explanation: RouteExplanation = {
      ...{ route: routeName, task, inputTokens, maxOutputTokens: input.maxOutputTokens },
      models: considered.map((one) => ({ ...one })),
      onContextLength: plan.onContextLength.map(({ provider, model }) => `${provider}/${model}`),
      ...{ onContentPolicy, whenFull, cachedAnswer },
    };
    response.json(explanation);
  };
}
