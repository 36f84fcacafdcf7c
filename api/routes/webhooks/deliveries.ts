/** `/v1/webhook_deliveries`: what was sent to whom, each attempt, and how to send it again. Scope: admin. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { WEBHOOK_WORKFLOW_TYPE, webhookRunId } from '../../../contracts/names.ts';
import type { DeliveryView, WebhookDelivery, WebhookEventType } from '../../../contracts/webhooks.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { askTemporal } from '../../generations/ask-temporal.ts';
import { offsetPageQuerySchema, parseQuery } from '../../http/read-request.ts';

type Dependencies = Pick<ApiDependencies, 'config' | 'temporal' | 'webhookDeliveries'>;
type ById = RequestHandler<{ id: string }>;

/** `GET /v1/webhook_deliveries`, the newest first. */
export function listDeliveries({ webhookDeliveries }: Dependencies): RequestHandler {
  return async (request, response) => {
    const { limit, after } = parseQuery(request, offsetPageQuerySchema);
    const offset = Math.min(Number(after), LIMITS.deliveriesPerTenant);
    const page = await webhookDeliveries.list(callerIn(response).tenant, { after: offset, limit });
    response.json({ data: page.data, next: page.next === null ? null : String(page.next) });
  };
}

export function getDelivery({ webhookDeliveries }: Dependencies): ById {
  return async ({ params: { id } }, response) => {
    response.json(await found(webhookDeliveries, callerIn(response).tenant, id));
  };
}

/** `POST /v1/webhook_deliveries/:id/resend`: another run, with the same webhook-id. 202 with its Temporal id. */
export function resendDelivery({ config, temporal, webhookDeliveries }: Dependencies): ById {
  return async ({ params: { id } }, response) => {
    const { tenant } = callerIn(response);
    const { attempts, eventType } = await found(webhookDeliveries, tenant, id);
    const delivery: WebhookDelivery = { tenant, deliveryId: id, eventType: eventType as WebhookEventType };
    const workflowId = webhookRunId(delivery, attempts);
    await askTemporal({ config, temporal }, [WorkflowExecutionAlreadyStartedError], (client) =>
      client.workflow.start(WEBHOOK_WORKFLOW_TYPE, {
        workflowId,
        taskQueue: config.temporal.taskQueue,
        args: [delivery],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      }),
    ).catch((error: unknown) => {
      // A second click, before the first one has been attempted.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
    response.status(202).json({ id, run: workflowId });
  };
}

async function found(
  deliveries: Dependencies['webhookDeliveries'],
  tenant: string,
  id: string,
): Promise<DeliveryView> {
  const view = id.length > LIMITS.idChars ? null : await deliveries.view(tenant, id);
  if (view !== null) return view;
  throw new UnbrokenError('not_found', `There is no webhook delivery ${id.slice(0, LIMITS.idChars)}.`);
}
