/** Notes in the worker's lease which runs it streams or waits for, for as long as the step takes. */
import { activityInfo } from '@temporalio/activity';
import type { Activities } from '../activities/create-activities.ts';
import type { RunLeases } from '../engine/leases/run-leases.ts';

export function holdRuns(activities: Activities, leases: RunLeases): Activities {
  const wrap =
    <Step, Result>(act: (step: Step) => Promise<Result>, options?: { readonly isUrgent: boolean }) =>
    async (step: Step): Promise<Result> => {
      const { workflowExecution } = activityInfo();
      if (workflowExecution === undefined) return act(step);
      const release = leases.hold(workflowExecution, options);
      try {
        return await act(step);
      } finally {
        release();
      }
    };
  const urgent = { isUrgent: true };
  return {
    ...activities,
    // A short answer is over before its run would be recorded, and costs no extra command.
    beginGeneration: wrap(activities.beginGeneration),
    streamFromProvider: wrap(activities.streamFromProvider, urgent),
    waitForRoom: wrap(activities.waitForRoom, urgent),
    checkBatch: wrap(activities.checkBatch, urgent),
    handOver: wrap(activities.handOver, urgent),
    awaitVendors: wrap(activities.awaitVendors, urgent),
    keepAnswers: wrap(activities.keepAnswers, urgent),
    takeAnswers: wrap(activities.takeAnswers, urgent),
    embedLine: wrap(activities.embedLine, urgent),
    recordShard: wrap(activities.recordShard, urgent),
    endBatch: wrap(activities.endBatch, urgent),
    eraseStage: wrap(activities.eraseStage),
  };
}
