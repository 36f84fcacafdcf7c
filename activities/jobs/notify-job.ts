/** Prepares the webhooks that learn what happens to a job. A repeated call returns the same deliveries. */
import type { JobName, JobOutcome } from '../../contracts/job-steps.ts';
import type { WebhookDelivery, WebhookEventType } from '../../contracts/webhooks.ts';
import type { JobOwner, JobSpec } from '../../engine/jobs/job-store.ts';
import type { JobDependencies } from './job-dependencies.ts';

type Notified = Pick<JobSpec, 'webhook'> & { readonly owner: Pick<JobOwner, 'user'> };
type Notifying = Pick<JobDependencies, 'webhooks'>;

/** Its texts stay here: a receiver reads the job. */
export function notifyJobEnded(
  { webhooks }: Notifying,
  { tenant, jobId }: JobName,
  { owner, webhook }: Notified,
  { status, costMicroUsd, errorCode }: JobOutcome,
): Promise<readonly WebhookDelivery[]> {
  const type: WebhookEventType = `job.${status}`;
  return webhooks.prepare({
    tenant,
    user: owner.user,
    key: jobId,
    type,
    atMs: Date.now(),
    data: {
      id: jobId,
      status,
      cost_micro_usd: costMicroUsd,
      ...(errorCode === null ? {} : { error_code: errorCode }),
    },
    webhook,
  });
}

export function notifyApprovalRequired(
  { webhooks }: Notifying,
  { tenant, jobId }: JobName,
  { owner, webhook }: Notified,
  { step, timeoutAtMs }: { readonly step: string; readonly timeoutAtMs: number | null },
): Promise<readonly WebhookDelivery[]> {
  return webhooks.prepare({
    tenant,
    user: owner.user,
    key: `${jobId}/${step}`,
    type: 'job.approval_required',
    atMs: Date.now(),
    data: { id: jobId, status: 'waiting', step, timeout_at_ms: timeoutAtMs },
    webhook,
  });
}
