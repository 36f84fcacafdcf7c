import { beforeAll, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle-workflows.ts';
import { TEST_DATA_DIR } from '../harness/stack.ts';
import { readHistory, recordedNames, writeHistory } from './history-file.ts';
import { installQuietRuntime } from './quiet-runtime.ts';
import { RECORDED_RUNS } from './runs.ts';

let bundle: { code: string };

beforeAll(async () => {
  installQuietRuntime();
  bundle = await bundleWorkflows(TEST_DATA_DIR);
});

test.each(recordedNames())('a run of older code (%s) continues under this code', async (name) => {
  await Worker.runReplayHistory({ workflowBundle: bundle }, readHistory(name));
});

test('every run of runs.ts has a history, and no history is ever overwritten', () => {
  expect(recordedNames()).toEqual(expect.arrayContaining(Object.keys(RECORDED_RUNS)));
  const history = readHistory('plain');
  expect(() => writeHistory('plain', history)).toThrow('EEXIST');
});

test('a generation that ran before continues where traces have been turned on', async () => {
  const workflowBundle = await bundleWorkflows(TEST_DATA_DIR, { isTraced: true });
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
