/** Calls to Temporal that an erasure makes, each with a time limit, and the deletion of one history. */
import { type Client, isGrpcServiceError, WorkflowNotFoundError } from '@temporalio/client';

const CALL_MS = 10_000;
/** As gRPC numbers them. */
const NOT_FOUND = 5;
const REFUSALS: ReadonlySet<number> = new Set([7, 12, 16]);

export interface RunToDelete {
  readonly workflowId: string;
  readonly runId: string;
}

/** @returns null if Temporal has no such run. */
export async function callTemporal<Result>(
  client: Client,
  act: (client: Client) => Promise<Result>,
  withinMs = CALL_MS,
): Promise<Result | null> {
  try {
    return await client.connection.withDeadline(Date.now() + withinMs, () => act(client));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    if (isGrpcServiceError(error) && error.code === NOT_FOUND) return null;
    throw error;
  }
}

/** @returns `refused` where Temporal, or the right of our key, does not allow it. */
export async function deleteRun(
  client: Client,
  { workflowId, runId }: RunToDelete,
  withinMs = CALL_MS,
): Promise<'deleted' | 'refused'> {
  const ask = async () => {
    const { namespace } = client.options;
    const workflowExecution = { workflowId, runId };
    try {
      await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    } catch (error) {
      if (isGrpcServiceError(error) && REFUSALS.has(error.code)) return 'refused';
      throw error;
    }
    return 'deleted';
  };
  return (await callTemporal(client, ask, withinMs)) ?? 'deleted';
}

/** When Temporal itself deletes a run that has ended then; null if it does not say. */
export async function retainedUntil(client: Client, endedAtMs: number): Promise<number | null> {
  const retentionSeconds = await callTemporal(client, async () => {
    const { namespace } = client.options;
    const { config } = await client.workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  });
  return retentionSeconds ? endedAtMs + retentionSeconds * 1_000 : null;
}
