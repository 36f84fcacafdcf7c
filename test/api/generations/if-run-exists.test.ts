import { expect, test } from '@jest/globals';
import { WorkflowNotFoundError } from '@temporalio/client';
import { ifRunExists, type WorkflowHandles } from '../../../api/generations/if-run-exists.ts';

const RUN = { tenant: 'acme', generationId: 'gen_1' };
/** Only its id is of interest here. */
const workflows = { getHandle: (workflowId: string) => ({ workflowId }) } as unknown as WorkflowHandles;

test('the run of the generation is used, and the result returned', async () => {
  expect(await ifRunExists(workflows, RUN, async ({ workflowId }) => workflowId)).toBe('acme/gen_1');
});

test('a run that Temporal does not know gives null', async () => {
  const unknown = () => Promise.reject(new WorkflowNotFoundError('none', 'acme/gen_1', undefined));
  expect(await ifRunExists(workflows, RUN, unknown)).toBeNull();
});

test('every other failure is an outage of Temporal, with its cause', async () => {
  const cause = new Error('14 UNAVAILABLE');
  await expect(ifRunExists(workflows, RUN, () => Promise.reject(cause))).rejects.toMatchObject({
    code: 'service_unavailable',
    cause,
  });
});
