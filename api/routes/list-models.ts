/** `GET /v1/models` and `GET /v1/models/:provider/*model`: the models, and which of them can be used here. */
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { modelCapabilitiesSchema } from '../../contracts/model.ts';
import { describeModel, listModels as listAll } from '../../engine/models/catalogue.ts';
import { selectModels } from '../../engine/models/select-models.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseQuery } from '../http/read-request.ts';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const modelsQuerySchema = z.strictObject({
  provider: z.string().optional(),
  q: z.string().optional(),
  available: flag.optional(),
  ...z.object(
    Object.fromEntries(modelCapabilitiesSchema.keyof().options.map((name) => [name, flag.optional()])),
  ).shape,
});

export function listModels({ config }: ApiDependencies): RequestHandler {
  let all: ReturnType<typeof listAll> | undefined;
  return (request, response) => {
    const { provider, q, available, ...can } = parseQuery(request, modelsQuerySchema);
    all ??= listAll(config);
    const wanted = Object.fromEntries(Object.entries(can).filter(([, value]) => value !== undefined));
    response.json({ object: 'list', data: selectModels(all, { provider, q, available, can: wanted }) });
  };
}

export function getModel({ config }: ApiDependencies): RequestHandler {
  return (request, response) => {
    const { provider, model } = request.params;
    const name = Array.isArray(model) ? model.join('/') : (model ?? '');
    if (typeof provider !== 'string' || !Object.hasOwn(config.providers, provider)) {
      throw new UnbrokenError('model_not_found', `No provider "${provider}" is configured here.`);
    }
    response.json(describeModel(config, provider, name));
  };
}
