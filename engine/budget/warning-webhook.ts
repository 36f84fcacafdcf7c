/** Sends budget warnings to the webhook of the config. */
import type { BudgetWarning } from '../../contracts/budgets.ts';
import { createSignedWebhook, type WebhookReceiver } from '../../platform/signed-webhook.ts';

export function createWarningWebhook(receiver: WebhookReceiver): (warning: BudgetWarning) => Promise<void> {
  const send = createSignedWebhook({
    ...receiver,
    name: 'budget webhook',
    privateSetting: 'budgets.webhook.allowPrivateNetwork',
  });
  return async ({ atMs, ...data }) => {
    await send(data.warningId, { type: 'budget.warning', timestamp: new Date(atMs).toISOString(), data });
  };
}
