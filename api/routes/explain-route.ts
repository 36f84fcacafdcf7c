/** `POST /v1/routes/explain`: what would be asked for this request, why, and what each model would cost. Free. */
import type { RequestHandler } from 'express';
import type { RouteExplanation } from '../../contracts/routing.ts';
import { callerIn, userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { composeInput } from '../generations/compose-input.ts';
import { readGenerationRequest } from '../http/read-request.ts';

export function explainRoute(dependencies: ApiDependencies): RequestHandler {
  const { routes, health } = dependencies;
  return async (request, response) => {
    const asked = readGenerationRequest(request);
    const caller = callerIn(response);
    const composition = {
      tenant: caller.tenant,
      user: userFor(caller, asked.user),
      generationId: 'explain',
      route: asked.route ?? 'default',
    };
    const input = await composeInput(dependencies, composition, asked);
    const asker = { tenant: caller.tenant, seed: 'explain' };
    const named = routes.choose(asked, input, asker).considered.map(({ provider }) => provider);
    await health.refresh(named, caller.tenant);
    const { routeName, task, inputTokens, considered, plan } = routes.choose(asked, input, asker);
    const { onContentPolicy, whenFull, cachedAnswer } = plan;
    const explanation: RouteExplanation = {
      route: routeName,
      task,
      inputTokens,
      maxOutputTokens: input.maxOutputTokens,
      models: considered.map((one) => ({ ...one })),
      onContextLength: plan.onContextLength.map(({ provider, model }) => `${provider}/${model}`),
      onContentPolicy,
      whenFull,
      cachedAnswer,
    };
    response.json(explanation);
  };
}
