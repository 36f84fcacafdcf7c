/**
 * Records a history that the replay test holds the workflow to, under the name of its run:
 * node test/workflows/record-history.ts NAME
 *
 * A recorded history is evidence of the code that recorded it, so its file is never overwritten. After a change, add a
 * run with a new name to runs.ts and record that.
 */
import { recordedNames, writeHistory } from './history-file.ts';
import { RECORDED_RUNS } from './runs.ts';
import { startWorkflowEnvironment } from './workflow-environment.ts';

const [name = ''] = process.argv.slice(2);
const run = RECORDED_RUNS[name];
if (run === undefined || recordedNames().includes(name)) {
  const open = Object.keys(RECORDED_RUNS).filter((known) => !recordedNames().includes(known));
  process.stderr.write(
    `${run === undefined ? `runs.ts has no run "${name}".` : `The history of "${name}" exists; record a new one under a new name.`}\n` +
      `Runs without a history: ${open.join(', ') || 'none'}.\n`,
  );
  process.exit(1);
}
const environment = await startWorkflowEnvironment();
try {
  writeHistory(name, await run(environment));
} finally {
  await environment.stop();
}
