/** Notes in the worker's lease which runs it streams or waits for, for as long as the step takes. */
import { activityInfo } from '@temporalio/activity';
import type { Activities } from '../activities/create-activities.ts';
import type { RunLeases } from '../engine/leases/run-leases.ts';

export function holdRuns(activities: Activities, leases: RunLeases): Activities {
  const wrap =
    <Step, Result>(act: (step: Step) => Promise<Result>, isUrgent: boolean) =>
    async (step: Step): Promise<Result> => {
      const { workflowExecution } = activityInfo();
      if (workflowExecution === undefined) return act(step);
      const release = leases.hold(workflowExecution, { isUrgent });
      try {
        return await act(step);
      } finally {
        release();
      }
    };
  return {
    ...activities,
    // A short answer is over before its run would be recorded, and costs no extra command.
    beginGeneration: wrap(activities.beginGeneration, false),
    streamFromProvider: wrap(activities.streamFromProvider, true),
    waitForRoom: wrap(activities.waitForRoom, true),
    checkBatch: wrap(activities.checkBatch, true),
    embedLine: wrap(activities.embedLine, true),
    recordShard: wrap(activities.recordShard, true),
    endBatch: wrap(activities.endBatch, true),
    eraseStage: wrap(activities.eraseStage, false),
  };
}
