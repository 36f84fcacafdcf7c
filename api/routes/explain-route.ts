/** `POST /v1/routes/explain`: what would be asked for this request, why, and what each model would cost. Free. */
import type { RequestHandler } from 'express';
import type { RouteExplanation } from '../../contracts/routing.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { readRequest } from '../read-request.ts';
import { inputFor } from '../submit-generation.ts';

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
