/**
 * One attempt to deliver a webhook, and its end without success. Temporal retries the attempt for days; each is on
 * record, and all have the same id, so a receiver can drop repeats.
 */
import { ApplicationFailure } from '@temporalio/common';
import { WEBHOOK_RETRIES } from '../contracts/webhook-retries.ts';
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
      (statusCode) => ({ statusCode, error: null, retryAfterMs: null }),
      (error: unknown) => ({
        statusCode: numberIn(error, 'statusCode'),
        error: messageOf(error),
        retryAfterMs: numberIn(error, 'retryAfterMs'),
      }),
    );
    const { statusCode, error } = attempt;
    await webhooks.note(tenant, deliveryId, { atMs, ms: Date.now() - atMs, statusCode, error });
    if (attempt.error === null) return;
    if (attempt.statusCode === GONE) throw undeliverable(attempt.error);
    const wantedMs = attempt.retryAfterMs;
    const delay =
      wantedMs === null
        ? {}
        : { nextRetryDelay: delayAfter(wantedMs, (await webhooks.view(tenant, deliveryId))?.attempts ?? 1) };
    throw ApplicationFailure.create({ message: attempt.error, type: 'webhook_failed', ...delay });
  };
}

/** As the receiver asks, but no sooner than the next attempt would come anyway: it may always ask for a second. */
function delayAfter(wantedMs: number, attempts: number): number {
  const { firstMs, growsBy, longestMs } = WEBHOOK_RETRIES;
  const usualMs = firstMs * growsBy ** (attempts - 1);
  return Math.min(Math.max(wantedMs, usualMs), longestMs);
}

export function giveUpWebhook({ webhooks }: Pick<Dependencies, 'webhooks'>) {
  return ({ tenant, deliveryId }: WebhookDelivery): Promise<void> => webhooks.giveUp(tenant, deliveryId);
}

function undeliverable(message: string): ApplicationFailure {
  return ApplicationFailure.create({ message, type: 'webhook_failed', nonRetryable: true });
}

function numberIn(error: unknown, name: 'statusCode' | 'retryAfterMs'): number | null {
  const value = error instanceof Error ? (error as Error & Record<string, unknown>)[name] : null;
  return typeof value === 'number' ? value : null;
}

/** It names a host at most: what a receiver answers may be the page of an internal service. */
function messageOf(error: unknown): string {
  return error instanceof Error && error.name === 'WebhookError'
    ? error.message
    : 'The webhook was not sent.';
}
