/**
 * `POST /v1/embeddings`, forwarded to the one provider of the model. The call is short, so it is not a durable
 * generation. It reserves and settles the budget like one, so it cannot overspend it.
 */
import type { Router } from 'express';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { headerText } from '../unbroken-headers.ts';
import { embed } from './embed.ts';
import { embeddingsSchema, resolveEmbeddingsTarget } from './request.ts';

export function addEmbeddingsRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/embeddings', async (request, response) => {
    requireJson(request);
    const body = parseBody(request, embeddingsSchema);
    const target = resolveEmbeddingsTarget(dependencies.config, body);
    const { embeddings, costMicroUsd } = await embed(dependencies, callerIn(response), body, target);
    response.setHeader('x-unbroken-model', headerText(`${target.provider}/${target.model}`));
    response.setHeader('x-unbroken-cost-micro-usd', String(costMicroUsd));
    response.json(embeddings);
  });
}
