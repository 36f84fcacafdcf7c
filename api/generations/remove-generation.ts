/**
 * Deletes a generation for the caller who asks for it: its texts, what was noted about it, and its history at Temporal.
 * What must stay, and copies that belong to something else, are named in the answer.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeletedGeneration, Remains, Removed } from '../../contracts/erasure.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { webhookRunId, workflowId } from '../../contracts/names.ts';
import { callTemporal, deleteRun, retainedUntil } from '../../engine/erasure/delete-run.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { settleConversation } from '../wires/openai-conversations/turn.ts';
import { responseOriginOf } from '../wires/openai-responses/load-response.ts';
import { cancelAndWait } from './cancel-and-wait.ts';
import { eraseGeneration } from './erase-generation.ts';

/** A run settles its budget after the end of its log. */
const RUN_ENDS_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 50;

type Removal = Pick<DeletedGeneration, 'removed' | 'remains'>;
type RemovesRuns = Pick<ApiDependencies, 'config' | 'logger' | 'temporal'>;

const LEDGER: Remains = {
  kind: 'ledger',
  count: null,
  reason: 'What was spent stays in the ledger: ids, tokens and money, no texts.',
  until: null,
};

/** The texts go last: without them the generation is not found, and the request cannot be repeated. */
export async function removeGeneration(dependencies: ApiDependencies, head: LogHead): Promise<Removal> {
  const { complaints, webhookDeliveries } = dependencies;
  const { tenant, generationId } = head;
  await cancelAndWait(dependencies, head);
  // Its conversation keeps copies: it gets those of this answer before they are gone.
  const conversation = responseOriginOf(head)?.conversation;
  if (conversation !== undefined) await settleConversation(dependencies, conversation);
  const hadFeedback = await removeFeedback(dependencies, head);
  const hadComplained = await complaints.withdraw(tenant, generationId);
  // A run prepares its webhooks after the end of its log.
  const run = await removeRuns(dependencies, [workflowId(tenant, generationId)]);
  const deliveries = await deliveriesOf(dependencies, head);
  const sent = await removeRuns(
    dependencies,
    deliveries.over.map((deliveryId) => webhookRunId({ tenant, deliveryId })),
  );
  for (const deliveryId of deliveries.over) await webhookDeliveries.remove(tenant, deliveryId);
  const { cachedAnswers } = await eraseGeneration(dependencies, head);
  const counts: Removed[] = [
    { kind: 'generations', count: 1 },
    { kind: 'cachedAnswers', count: cachedAnswers },
    { kind: 'complaints', count: hadComplained ? 1 : 0 },
    { kind: 'feedback', count: hadFeedback ? 1 : 0 },
    { kind: 'webhookDeliveries', count: deliveries.over.length },
    { kind: 'runs', count: run.removed + sent.removed },
  ];
  const copies = [...copiesOf(tenant, run.parentId), ...copyIn(conversation)];
  return {
    removed: counts.filter(({ count }) => count > 0),
    remains: [LEDGER, ...run.remains, ...sent.remains, ...deliveries.remains, ...copies],
  };
}

async function removeFeedback(
  { log, promptStats }: Pick<ApiDependencies, 'log' | 'promptStats'>,
  { tenant, generationId }: LogHead,
): Promise<boolean> {
  const prompt = (await log.view(generationId))?.view?.prompt ?? null;
  return promptStats.removeFeedback({ tenant, generationId, prompt });
}

/** A delivery that its receiver does not have yet is still sent: it says how the generation has ended. */
async function deliveriesOf(
  { webhookDeliveries }: Pick<ApiDependencies, 'webhookDeliveries'>,
  { tenant, generationId, createdAt }: LogHead,
): Promise<{ readonly over: readonly string[]; readonly remains: readonly Remains[] }> {
  const ids = await webhookDeliveries.idsOfGeneration(tenant, generationId, createdAt);
  const views = await Promise.all(ids.map((id) => webhookDeliveries.view(tenant, id)));
  const known = views.filter((view) => view !== null);
  const over = known.filter(({ status }) => status !== 'pending').map(({ id }) => id);
  const pending = known.filter(({ status }) => status === 'pending');
  if (pending.length === 0) return { over, remains: [] };
  const reason = 'Receivers do not have these webhooks yet, which hold its id and how it has ended.';
  const until = Math.max(...pending.map((view) => view.createdAt)) + LIMITS.deliveryKeptMs;
  return { over, remains: [{ kind: 'webhookDeliveries', count: pending.length, reason, until }] };
}

const STAYS = {
  running: 'Runs that have not ended yet keep their histories, which hold ids and no texts, and expire.',
  refused: 'Temporal does not let us delete histories, which hold ids and no texts, and expire.',
  unanswered: 'Temporal did not answer. Histories hold ids and no texts, and expire.',
} as const;

interface RunRemoval {
  readonly outcome: 'none' | 'deleted' | keyof typeof STAYS;
  readonly until: number | null;
  readonly parentId: string | null;
}

/** @returns the parent of the first one, too. */
async function removeRuns(dependencies: RemovesRuns, ids: readonly string[]) {
  const removals = await Promise.all(
    ids.map((id) =>
      removeRun(dependencies, id).catch((error: unknown): RunRemoval => {
        dependencies.logger.warn({ err: error, workflowId: id }, 'the history of a run was not deleted');
        return { outcome: 'unanswered', until: null, parentId: null };
      }),
    ),
  );
  const countOf = (outcome: RunRemoval['outcome']) =>
    removals.filter((removal) => removal.outcome === outcome).length;
  const remains = (Object.keys(STAYS) as (keyof typeof STAYS)[]).flatMap((outcome): Remains[] => {
    const count = countOf(outcome);
    const until = removals.find((removal) => removal.outcome === outcome)?.until ?? null;
    return count === 0 ? [] : [{ kind: 'runs', count, reason: STAYS[outcome], until }];
  });
  return { removed: countOf('deleted'), remains, parentId: removals[0]?.parentId ?? null };
}

/** Deletes the history of a run once it has ended: before, its budget is not settled. */
async function removeRun({ config, temporal }: RemovesRuns, id: string): Promise<RunRemoval> {
  const withinMs = config.submit.waitForTemporalMs;
  const giveUpMs = performance.now() + RUN_ENDS_WITHIN_MS;
  for (;;) {
    const run = await callTemporal(temporal, ({ workflow }) => workflow.getHandle(id).describe(), withinMs);
    if (run === null) return { outcome: 'none', until: null, parentId: null };
    const parentId = run.parentExecution?.workflowId ?? null;
    if (run.status.name !== 'RUNNING') {
      const outcome = await deleteRun(temporal, { workflowId: id, runId: run.runId }, withinMs);
      const endedAtMs = run.closeTime?.getTime() ?? Date.now();
      const until = outcome === 'refused' ? await retainedUntil(temporal, endedAtMs) : null;
      return { outcome, until, parentId };
    }
    if (performance.now() > giveUpMs) return { outcome: 'running', until: null, parentId };
    await sleep(LOOK_AGAIN_MS);
  }
}

/** What started it has texts of it, which go with that. */
function copiesOf(tenant: string, parentId: string | null): Remains[] {
  // The parent of a line is a shard, whose id is that of its batch and a number.
  const id = (parentId?.slice(tenant.length + 1) ?? '').replace(/\/\d+$/, '');
  if (id.startsWith('job_')) {
    const reason = `The job ${id} keeps what its steps wrote; DELETE /v1/jobs/${id} deletes it.`;
    return [{ kind: 'jobs', count: 1, reason, until: null }];
  }
  if (!/^(?:msg)?batch_/.test(id)) return [];
  const reason = `The files of the batch ${id} have its question and may have its answer; delete them, too.`;
  return [{ kind: 'files', count: null, reason, until: null }];
}

function copyIn(conversation: string | undefined): Remains[] {
  if (conversation === undefined) return [];
  const reason = `The conversation ${conversation} keeps its items; DELETE /v1/conversations/${conversation} deletes them.`;
  return [{ kind: 'conversations', count: 1, reason, until: null }];
}
