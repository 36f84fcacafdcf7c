/** What the workflow of an erasure decides, with stubs for its stages. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Activities } from '../../activities/create-activities.ts';
import { ERASURE_STAGES, type ErasureOrder } from '../../contracts/erasure-stages.ts';
import { ERASURE_TYPE, workflowId } from '../../contracts/names.ts';
import {
  startWorkflowEnvironment,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await startWorkflowEnvironment();
});
afterAll(() => environment?.stop());

async function run(changed: Partial<Activities> = {}, facts: Partial<ErasureOrder> = {}) {
  const { activities, calls } = stubActivities(changed);
  const order = { tenant: 'acme', erasureId: `erase_${crypto.randomUUID()}`, ...facts };
  return environment.withWorker(activities, async (taskQueue) => {
    const { workflow } = environment.temporal.client;
    const handle = await workflow.start<(order: ErasureOrder) => Promise<void>>(ERASURE_TYPE, {
      workflowId: workflowId(order.tenant, order.erasureId),
      taskQueue,
      args: [order],
    });
    await handle.result();
    return calls;
  });
}

const stages = (calls: readonly string[]) => calls.map((call) => call.replace('eraseStage ', ''));

test('the stages follow one another, and the receipt comes last', async () => {
  expect(stages(await run())).toEqual([...ERASURE_STAGES, 'completeErasure']);
});

test('a stage is repeated until it finds nothing, and until nothing is pending', async () => {
  const left = {
    stop: [{ found: 0, pending: 2 }],
    stored: [
      { found: 9, pending: 0 },
      { found: 1, pending: 1 },
    ],
  };
  const calls = await run({
    eraseStage: async ({ stage }) => {
      const results = stage === 'stop' || stage === 'stored' ? left[stage] : [];
      return results.shift() ?? { found: 0, pending: 0 };
    },
  });
  expect(stages(calls)).toEqual([
    'stop',
    'stop',
    'answers',
    'archive',
    'stored',
    'stored',
    'stored',
    'moved',
    'runs',
    'completeErasure',
  ]);
});

test('a stage that fails is tried again, and a run that continues another begins with its stage', async () => {
  let failures = 0;
  const calls = await run(
    {
      eraseStage: async () => {
        failures += 1;
        if (failures === 1) throw new Error('Redis is down.');
        return { found: 0, pending: 0 };
      },
    },
    { from: 'stored' },
  );
  expect(stages(calls)).toEqual(['stored', 'stored', 'moved', 'runs', 'completeErasure']);
});
