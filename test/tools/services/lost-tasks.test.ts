/** The Temporal of `npm start` soon retries a workflow task that reached no worker, however many were lost. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findTemporalExecutable } from '../../../tools/services/programs/temporal-cli.js';
import { startTemporal } from '../../../tools/services/provide-temporal.ts';

/** The wait after each of the last would be 20 and 40 s on top of the task's own second. */
const LOST = 7;
const AGAIN_WITHIN_MS = 15_000;
const silent = () => undefined;

test('a workflow task that was lost seven times is retried within seconds', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'unbroken-lost-tasks-'));
  const executable = await findTemporalExecutable(silent);
  const ports = { port: await findFreePort(), uiPort: await findFreePort() };
  const temporal = await startTemporal({ dataDir, report: silent, executable, ...ports });
  const connection = await Connection.connect({ address: temporal.address });
  try {
    const taskQueue = `lost-${randomUUID()}`;
    await new Client({ connection }).workflow.start('lost', {
      taskQueue,
      workflowId: taskQueue,
      workflowTaskTimeout: '1s',
    });
    const poll = { namespace: 'default', taskQueue: { name: taskQueue }, identity: 'loses them' };
    const takenAtMs: number[] = [];
    while (takenAtMs.length <= LOST) {
      const deadline = Date.now() + 65_000;
      const { attempt } = await connection.withDeadline(deadline, () =>
        connection.workflowService.pollWorkflowTaskQueue(poll),
      );
      // A poll that ends empty has no attempt.
      if ((attempt ?? 0) > 0) takenAtMs.push(Date.now());
    }
    const [before = 0, last = Number.POSITIVE_INFINITY] = takenAtMs.slice(-2);
    expect(last - before).toBeLessThan(AGAIN_WITHIN_MS);
  } finally {
    await connection.close();
    await temporal.process.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
