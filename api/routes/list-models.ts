/**
 * `GET /v1/models` and `GET /v1/models/*id`: what `model` of a request may name. OpenAI and Anthropic have both
 * paths; a client that sends `anthropic-version` gets that shape. Sources: the official clients, resources/models.
 */
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { parseCandidate } from '../../contracts/candidate.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { type ModelView, modelCapabilitiesSchema } from '../../contracts/model.ts';
import { describeModel } from '../../engine/models/catalogue.ts';
import { describeRoute, listNames, usableNames } from '../../engine/models/route-models.ts';
import { selectModels } from '../../engine/models/select-models.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { idPage } from '../http/id-page.ts';
import { pageLimitSchema, parseQuery } from '../http/read-request.ts';
import { resolveModel } from '../wires/model-name.ts';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** Clients send other parameters, too, such as `client_version`; those are ignored. */
export const modelsQuerySchema = z.object({
  provider: z.string().optional(),
  q: z.string().optional(),
  available: z
    .enum(['true', 'false', 'any'])
    .default('true')
    .describe('false: those without a key here; any: both. true if absent.'),
  ...z.object(
    Object.fromEntries(modelCapabilitiesSchema.keyof().options.map((name) => [name, flag.optional()])),
  ).shape,
});
export const anthropicPageSchema = z.object({
  limit: pageLimitSchema({ most: 1_000, byDefault: 20 }),
  after_id: z.string().max(LIMITS.modelIdChars).optional(),
  before_id: z.string().max(LIMITS.modelIdChars).optional(),
});

export function listModels({ config }: ApiDependencies): RequestHandler {
  let all: ReturnType<typeof listNames> | undefined;
  return (request, response) => {
    const { provider, q, available, ...can } = parseQuery(request, modelsQuerySchema);
    all ??= listNames(config);
    const wanted = Object.fromEntries(Object.entries(can).filter(([, value]) => value !== undefined));
    const chosen = available === 'true' ? usableNames(config, all) : all;
    const only = available === 'false' ? { available: false } : {};
    const models = selectModels(chosen, { provider, q, ...only, can: wanted });
    response.json(
      isForAnthropic(request) ? anthropicPage(request, models) : { object: 'list', data: models },
    );
  };
}

export function getModel({ config }: ApiDependencies): RequestHandler {
  return (request, response) => {
    const { id: segments } = request.params;
    // A client that encodes the slash sends one segment.
    const id = Array.isArray(segments) ? segments.join('/') : (segments ?? '');
    const target = resolveModel(config, id);
    const candidate = 'model' in target ? parseCandidate(target.model) : null;
    const view =
      'route' in target
        ? describeRoute(config, target.route)
        : candidate && describeModel(config, candidate.provider, candidate.model);
    if (view === null) {
      throw new UnbrokenError('model_not_found', `model: "${id}" is unknown.`, {
        details: { param: 'model' },
      });
    }
    const named = { ...view, id };
    response.json(isForAnthropic(request) ? anthropicModel(named) : named);
  };
}

/** Whether a request of `/v1/models` is of Anthropic's client, which expects its own shapes. */
export function isForAnthropic(request: Pick<Request, 'get'>): boolean {
  return request.get('anthropic-version') !== undefined;
}

function anthropicPage(request: Request, models: readonly ModelView[]) {
  const { limit, after_id: after, before_id: before } = parseQuery(request, anthropicPageSchema);
  const placeOf = (name: string, id: string | undefined) => {
    const place = models.findIndex((model) => model.id === id);
    if (id !== undefined && place < 0) {
      throw new UnbrokenError('invalid_request', `${name}: there is no model "${id}" in this list.`, {
        details: { param: name },
      });
    }
    return place;
  };
  const end = before === undefined ? models.length : placeOf('before_id', before);
  const from = before === undefined ? placeOf('after_id', after) + 1 : Math.max(0, end - limit);
  const page = models.slice(from, Math.min(from + limit, end));
  return idPage(page.map(anthropicModel), {
    hasMore: before === undefined ? from + limit < end : from > 0,
  });
}

function anthropicModel({ id, name, created, contextWindow, maxOutputTokens }: ModelView) {
  return {
    type: 'model',
    id,
    display_name: name,
    created_at: new Date(created * 1_000).toISOString(),
    max_input_tokens: contextWindow,
    max_tokens: maxOutputTokens,
    capabilities: null,
    deprecated_at: null,
    lifecycle: 'active',
    line: null,
    retires_at: null,
  };
}
