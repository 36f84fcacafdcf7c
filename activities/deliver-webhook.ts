/**
 * One attempt to deliver a webhook, and its end without success. Temporal retries the attempt for days; each is on
 * record, and all have the same id, so a receiver can drop repeats.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { WebhookDelivery } from '../contracts/webhooks.ts';
import type { Dependencies } from './dependencies.ts';

/** The receiver says that it is gone for good. Source: Standard Webhooks, "Operational considerations". */
const GONE = 410;

type Delivering = Pick<Dependencies, 'webhooks' | 'sendWebhook'>;

export function deliverWebhook({ webhooks, sendWebhook }: Delivering) {
  return async ({ tenant, deliveryId }: WebhookDelivery): Promise<void> => {
    const delivery = await webhooks.read(tenant, deliveryId);
    if (delivery === null) throw undeliverable('The delivery or its endpoint was deleted.');
    const atMs = Date.now();
    const attempt = await sendWebhook(deliveryId, delivery).then(
      (statusCode) => ({ statusCode, error: null }),
      (error: unknown) => ({ statusCode: statusOf(error), error: messageOf(error) }),
    );
    await webhooks.note(tenant, deliveryId, { atMs, ms: Date.now() - atMs, ...attempt });
    if (attempt.error === null) return;
    if (attempt.statusCode === GONE) throw undeliverable(attempt.error);
    throw ApplicationFailure.create({ message: attempt.error, type: 'webhook_failed' });
  };
}

export function giveUpWebhook({ webhooks }: Pick<Dependencies, 'webhooks'>) {
  return ({ tenant, deliveryId }: WebhookDelivery): Promise<void> => webhooks.giveUp(tenant, deliveryId);
}

function undeliverable(message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type: 'webhook_failed', nonRetryable: true });
}

function statusOf(error: unknown): number | null {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null;
  return typeof status === 'number' ? status : null;
}

/** It names a host at most: what a receiver answers may be the page of an internal service. */
function messageOf(error: unknown): string {
  return error instanceof Error && error.name === 'WebhookError'
    ? error.message
    : 'The webhook was not sent.';
}
