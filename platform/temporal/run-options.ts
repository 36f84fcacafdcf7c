/** The options with which both the API and a worker start the run of a generation. */
import { createHash } from 'node:crypto';
import type { WorkflowStartOptions } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { workflowId } from '../../contracts/names.ts';
import type { NewRun } from '../../contracts/steps.ts';
import { SEARCH_KEYS } from './search-keys.ts';

/**
 * A second start joins the first run, even after its end. Only if that run belongs to an earlier log, which is gone, a
 * second run starts.
 */
export function runOptions({ order, priorityKey }: NewRun, taskQueue: string) {
  const [first] = order.candidates;
  const { prompt } = order;
  return {
    workflowId: workflowId(order.tenant, order.generationId),
    taskQueue,
    args: [order] as [GenerationOrder],
    workflowTaskTimeout: LIMITS.workflowTaskMs,
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: order.againSinceMs === undefined ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE',
    staticSummary: `${order.user}: ${order.inputChars} characters by ${first?.provider}/${first?.model}`,
    priority: {
      ...(priorityKey === undefined ? {} : { priorityKey }),
      fairnessKey: fairnessKey(order),
    },
    typedSearchAttributes: new TypedSearchAttributes([
      { key: SEARCH_KEYS.tenant, value: order.tenant },
      { key: SEARCH_KEYS.user, value: order.user },
      { key: SEARCH_KEYS.status, value: 'running' },
      { key: SEARCH_KEYS.provider, value: first?.provider ?? '' },
      { key: SEARCH_KEYS.model, value: first?.model ?? '' },
      ...(prompt === undefined
        ? []
        : [{ key: SEARCH_KEYS.prompt, value: `${prompt.name}@${prompt.version}` }]),
    ]),
  } satisfies WorkflowStartOptions;
}

/** Temporal serves its queues fairly by this key of at most 64 bytes: by the user of a tenant. */
export function fairnessKey({ tenant, user }: Pick<GenerationOrder, 'tenant' | 'user'>): string {
  const name = `${tenant}/${user}`;
  return Buffer.byteLength(name) <= 64 ? name : createHash('sha256').update(name).digest('hex');
}
