/**
 * `/v1/webhook_endpoints`: who is notified of the generations of the tenant, in the objects of OpenAI's API, so that
 * its official clients manage them. Scope: admin.
 */
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import {
  createEndpointSchema,
  OWN_SECRET_ID,
  rotateSecretSchema,
  testEndpointSchema,
  updateEndpointSchema,
  type WebhookEvent,
  webhookEventTypes,
} from '../../../contracts/webhooks.ts';
import type { NewEndpoint } from '../../../engine/webhooks/webhooks.ts';
import { WebhookError } from '../../../platform/signed-webhook.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { assertMayCall } from '../../generations/seal-webhook.ts';
import { idPage } from '../../http/id-page.ts';
import { pageLimitSchema, parseBody, parseQuery } from '../../http/read-request.ts';

type Dependencies = Pick<ApiDependencies, 'config' | 'webhookEndpoints' | 'sendWebhook'>;
type ById = RequestHandler<{ id: string }>;

export const endpointsQuerySchema = z.strictObject({
  limit: pageLimitSchema({ most: LIMITS.webhooksPerTenant, byDefault: 20 }),
  after: z.string().max(LIMITS.idChars).optional().describe('The id of the last endpoint of the page before'),
});

/** `POST /v1/webhook_endpoints`: 201 with the secret, which is shown only this once. */
export function createEndpoint({ config, webhookEndpoints }: Dependencies): RequestHandler {
  return async (request, response) => {
    const endpoint = parseBody(request, createEndpointSchema);
    assertMayCall(config, endpoint.url, 'url');
    const created = await webhookEndpoints.create(callerIn(response).tenant, endpoint);
    if (created === null) {
      const message = `This tenant has ${LIMITS.webhooksPerTenant} webhook endpoints, the most there can be.`;
      throw new UnbrokenError('invalid_request', message);
    }
    response.status(201).json(withSecret(created));
  };
}

/** `GET /v1/webhook_endpoints`, oldest first, without secrets. */
export function listEndpoints({ webhookEndpoints }: Dependencies): RequestHandler {
  return async (request, response) => {
    const { limit, after } = parseQuery(request, endpointsQuerySchema);
    const all = await webhookEndpoints.list(callerIn(response).tenant);
    const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
    const data = all.slice(from, from + limit);
    response.json({ object: 'list', ...idPage(data, { hasMore: from + limit < all.length }) });
  };
}

export function getEndpoint({ webhookEndpoints }: Dependencies): ById {
  return async ({ params: { id } }, response) => {
    response.json((await webhookEndpoints.get(callerIn(response).tenant, id)) ?? unknown(id));
  };
}

/** `POST /v1/webhook_endpoints/:id`: changes the fields that it names. */
export function updateEndpoint({ config, webhookEndpoints }: Dependencies): ById {
  return async (request, response) => {
    const { id } = request.params;
    const change = parseBody(request, updateEndpointSchema);
    if (change.url !== undefined) assertMayCall(config, change.url, 'url');
    response.json((await webhookEndpoints.update(callerIn(response).tenant, id, change)) ?? unknown(id));
  };
}

export function removeEndpoint({ webhookEndpoints }: Dependencies): ById {
  return async ({ params: { id } }, response) => {
    if (!(await webhookEndpoints.remove(callerIn(response).tenant, id))) unknown(id);
    response.json({ id, deleted: true, object: 'webhook_endpoint.deleted' });
  };
}

/** `POST /v1/webhook_endpoints/:id/rotate_secret`: the new secret is shown only this once. */
export function rotateEndpointSecret({ webhookEndpoints }: Dependencies): ById {
  return async (request, response) => {
    const { id } = request.params;
    const { tenant } = callerIn(response);
    const { keep_old_secret_active_for_24_hours: keepsOld } = parseBody(request, rotateSecretSchema);
    const overlapMs = keepsOld ? LIMITS.webhookOverlapMs : 0;
    if (id === OWN_SECRET_ID) {
      const signing_secret = await webhookEndpoints.rotateOwnSecret(tenant, overlapMs);
      response.json({ id, object: 'webhook_secret', signing_secret });
      return;
    }
    response.json(withSecret((await webhookEndpoints.rotate(tenant, id, overlapMs)) ?? unknown(id)));
  };
}

/** `POST /v1/webhook_endpoints/:id/test`: sends a sample, once, and says what the endpoint answered. */
export function testEndpoint({ webhookEndpoints, sendWebhook }: Dependencies): ById {
  return async (request, response) => {
    const { id } = request.params;
    const { event_type: type } = parseBody(request, testEndpointSchema);
    const target = (await webhookEndpoints.target(callerIn(response).tenant, id)) ?? unknown(id);
    const event: WebhookEvent = {
      id: `evt_test_${crypto.randomUUID()}`,
      object: 'event',
      created_at: Math.floor(Date.now() / 1_000),
      type,
      data: { id: `${type.startsWith('job.') ? 'job' : 'resp'}_${'0'.repeat(32)}` },
    };
    const status_code = await sendWebhook(`msg_test_${crypto.randomUUID()}`, { target, event }).catch(
      (error: unknown) => {
        if (!(error instanceof WebhookError)) throw error;
        if (error.statusCode !== null) return error.statusCode;
        throw new UnbrokenError('invalid_request', error.message);
      },
    );
    const object = 'webhook_endpoint.test';
    response.json({ object, webhook_endpoint_id: id, event_type: type, success: true, status_code });
  };
}

/** `GET /v1/webhook_event_types` */
export function listEventTypes(): RequestHandler {
  return (_request, response) => {
    response.json({ object: 'list', data: webhookEventTypes });
  };
}

function withSecret({ endpoint, secret }: NewEndpoint) {
  return { ...endpoint, signing_secret: secret };
}

function unknown(id: string): never {
  throw new UnbrokenError('not_found', `There is no webhook endpoint ${id.slice(0, LIMITS.idChars)}.`);
}
