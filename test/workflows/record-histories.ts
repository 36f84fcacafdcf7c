/**
 * Records the histories that the replay test holds the workflow to. Run it only when a change of the workflow is
 * meant to break running generations: node test/workflows/record-histories.ts
 */
import { writeHistory } from './history-file.ts';
import { RECORDED_RUNS } from './runs.ts';
import { startWorkflowEnvironment } from './workflow-environment.ts';

const environment = await startWorkflowEnvironment();
try {
  for (const [name, run] of Object.entries(RECORDED_RUNS)) {
    const { history } = await run(environment);
    writeHistory(name, history);
  }
} finally {
  await environment.stop();
}
