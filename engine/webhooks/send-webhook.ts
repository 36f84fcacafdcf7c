/** Sends one delivery, once, to an address that its tenant has chosen. */
import { createSignedWebhook } from '../../platform/signed-webhook.ts';
import type { PreparedDelivery } from './webhooks.ts';

/** @returns the status of the answer. @throws WebhookError */
export type SendWebhook = (deliveryId: string, delivery: PreparedDelivery) => Promise<number>;

export function createSendWebhook({
  allowPrivateNetwork,
}: {
  readonly allowPrivateNetwork: boolean;
}): SendWebhook {
  return (deliveryId, { target, event }) =>
    createSignedWebhook({
      ...target,
      allowPrivateNetwork,
      name: 'webhook',
      privateSetting: 'webhooks.allowPrivateNetwork',
    })(deliveryId, event);
}
