/**
 * Records the histories that the replay test holds the workflow to. Run it only when a change of the workflow is
 * meant to break running generations: node test/workflows/record-histories.ts
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { RECORDED_RUNS } from './runs.ts';
import { startWorkflowEnvironment } from './workflow-environment.ts';

const folder = join(import.meta.dirname, 'histories');
const environment = await startWorkflowEnvironment();
try {
  await mkdir(folder, { recursive: true });
  for (const [name, run] of Object.entries(RECORDED_RUNS)) {
    const { history } = await run(environment);
    // The JSON of a history names the machine and the process that made it, which is nobody's business.
    const told = historyToJSON(history).replaceAll(/"identity":\s*"[^"]*"/g, '"identity": "recorder"');
    await writeFile(join(folder, `${name}.history.json`), `${told}\n`);
  }
} finally {
  await environment.stop();
}
