/** Prepares the webhooks that learn of the end of a generation. */
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import type { WebhookDelivery, WebhookEventType } from '../contracts/webhooks.ts';
import { uniqueLogId } from './attempt/unique-log-id.ts';
import type { Dependencies } from './dependencies.ts';

/** Repeated for the same generation, it returns the same deliveries. */
export async function notifyEnded(
  { webhooks, log }: Pick<Dependencies, 'webhooks' | 'log'>,
  order: GenerationOrder,
  outcome: GenerationOutcome,
): Promise<readonly WebhookDelivery[]> {
  if (order.isPart === true) return [];
  const { tenant, user, generationId, hasWebhook } = order;
  const input = hasWebhook === true ? await log.readInput(generationId) : null;
  const { status, errorCode } = outcome;
  return webhooks.prepare({
    tenant,
    user,
    key: uniqueLogId(order),
    type: eventTypeOf(outcome),
    atMs: Date.now(),
    data: {
      id: generationId.replace(/^gen_/, 'resp_'),
      generation_id: generationId,
      status,
      ...(errorCode === null ? {} : { error_code: errorCode }),
    },
    webhook: input?.webhook,
  });
}

/** As the status of the same generation in the format of Responses. */
function eventTypeOf({ status, finishReason, errorCode }: GenerationOutcome): WebhookEventType {
  if (status === 'cancelled') return 'response.cancelled';
  if (status === 'failed') {
    return errorCode === 'content_filtered' ? 'response.incomplete' : 'response.failed';
  }
  const isCut = finishReason === 'length' || finishReason === 'content-filter';
  return isCut ? 'response.incomplete' : 'response.completed';
}
