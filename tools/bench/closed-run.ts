/** What Temporal keeps of a generation's run when it has closed. */
import { workflowId } from '../../contracts/names.ts';
import type { Stack } from '../../test/harness/stack.ts';
import { temporalClient } from '../../test/harness/streaming-worker.ts';
import { waitFor } from '../../test/harness/wait-for.ts';

const TENANT = 'dev';
const CLOSES_WITHIN_MS = 60_000;

export interface ClosedRun {
  readonly events: number;
  readonly bytes: number;
  /** Writes of the run's state, each a transaction of Temporal's store. */
  readonly transitions: number;
}

/** The reader has the end before the workflow closes, so this waits for it. */
export function closedRun(stack: Stack, generationId: string): Promise<ClosedRun> {
  return waitFor(`the run of ${generationId} to close`, () => readRun(stack, generationId), CLOSES_WITHIN_MS);
}

async function readRun(stack: Stack, generationId: string): Promise<ClosedRun | null> {
  const client = await temporalClient(stack.env);
  const described = await client.workflow.getHandle(workflowId(TENANT, generationId)).describe();
  const info = described.raw.workflowExecutionInfo;
  if (described.status.name === 'RUNNING' || info === null || info === undefined) return null;
  return {
    events: described.historyLength,
    bytes: Number(info.historySizeBytes ?? 0),
    transitions: Number(info.stateTransitionCount ?? 0),
  };
}

/** Generations of this stack that Temporal still runs. */
export async function openRuns(stack: Stack): Promise<number> {
  const client = await temporalClient(stack.env);
  const queue = stack.env['UNBROKEN_TASK_QUEUE'] ?? '';
  const { count } = await client.workflow.count(`ExecutionStatus = 'Running' AND TaskQueue = '${queue}'`);
  return count;
}
