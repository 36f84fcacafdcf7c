/** Delivers one webhook, with retries for days: of a generation, and of whatever else has prepared a delivery. */
import { CancellationScope, proxyActivities, proxyLocalActivities, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { webhookQueue, webhookRunId } from '../contracts/names.ts';
import { WEBHOOK_RETRIES } from '../contracts/webhook-retries.ts';
import type { WebhookDelivery } from '../contracts/webhooks.ts';
import { MUST_HAPPEN } from './activity-options.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { startDetached } from './start-detached.ts';

const { firstMs, growsBy, longestMs } = WEBHOOK_RETRIES;
const { giveUpWebhook } = proxyLocalActivities<Activities>(MUST_HAPPEN);

export async function webhookDelivery(delivery: WebhookDelivery): Promise<void> {
  const { deliverWebhook } = proxyActivities<Activities>({
    taskQueue: webhookQueue(workflowInfo().taskQueue),
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '3 days',
    retry: { initialInterval: firstMs, backoffCoefficient: growsBy, maximumInterval: longestMs },
    summary: delivery.eventType,
  });
  try {
    await deliverWebhook(delivery);
  } catch (error) {
    await CancellationScope.nonCancellable(() => giveUpWebhook(delivery));
    throw error;
  }
}

outlivesVersions(webhookDelivery);

/** Starts a run for each delivery. A repeated one has the same workflow id, so it starts no second run. */
export async function sendDeliveries(deliveries: readonly WebhookDelivery[]): Promise<void> {
  for (const delivery of deliveries) {
    await startDetached(webhookDelivery, webhookRunId(delivery), delivery);
  }
}
