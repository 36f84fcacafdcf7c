import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { readHistory } from './history-file.ts';
import { installQuietRuntime } from './quiet-runtime.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-replay-'));
let bundle: { code: string };

beforeAll(async () => {
  installQuietRuntime();
  bundle = await bundleWorkflows(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['plain', 'fallback', 'cancelled', 'cancelledWithError'])(
  'a generation that ran before (%s) continues under this code',
  async (name) => {
    await Worker.runReplayHistory({ workflowBundle: bundle }, readHistory(name));
  },
);

test('a generation that ran before continues where traces have been turned on', async () => {
  const workflowBundle = await bundleWorkflows(folder, { isTraced: true });
  const exporter = { export: { fn: () => undefined, callDuringReplay: false } };
  await Worker.runReplayHistory({ workflowBundle, sinks: { exporter } }, readHistory('fallback'));
});

test('the replay would notice a changed story', async () => {
  const history = readHistory('fallback');
  for (const event of history.events ?? []) {
    const type = event.activityTaskScheduledEventAttributes?.activityType;
    if (type) type.name = 'streamFromElsewhere';
  }
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, history)).rejects.toThrow();
});
