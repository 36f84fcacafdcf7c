/** `POST /v1/routes/explain`: which models this request would use, why, and what each would cost. Calls none. */
import type { RequestHandler } from 'express';
import type { RouteExplanation } from '../../contracts/routing.ts';
import { callerIn, userFor } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { composeInput } from '../generations/compose-input.ts';
import { readGenerationRequest } from '../http/read-request.ts';

export function explainRoute(dependencies: ApiDependencies): RequestHandler {
  const { routes, health } = dependencies;
  return async (request, response) => {
    const generation = readGenerationRequest(request);
    const caller = callerIn(response);
    const composition = {
      tenant: caller.tenant,
      user: userFor(caller, generation.user),
      generationId: 'explain',
      route: generation.route ?? 'default',
    };
    const input = await composeInput(dependencies, composition, generation);
    const asker = { tenant: caller.tenant, seed: 'explain' };
    const providers = routes.choose(generation, input, asker).considered.map(({ provider }) => provider);
    // Chosen again after the refresh: the order depends on the health of the models.
    await health.refresh(providers, caller.tenant);
    const { routeName, task, inputTokens, considered, plan } = routes.choose(generation, input, asker);
    const { onContentPolicy, whenFull, cachedAnswer } = plan;
    const explanation: RouteExplanation = {
      route: routeName,
      task,
      inputTokens,
      maxOutputTokens: input.maxOutputTokens,
      models: considered.map((model) => ({ ...model })),
      onContextLength: plan.onContextLength.map(({ provider, model }) => `${provider}/${model}`),
      onContentPolicy,
      whenFull,
      cachedAnswer,
    };
    response.json(explanation);
  };
}
