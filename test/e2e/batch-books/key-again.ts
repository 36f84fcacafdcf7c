/** A request for a batch that is sent again with its key: at once, and long after the end of the batch. */
import type Anthropic from '@anthropic-ai/sdk';
import { expect } from '@jest/globals';
import type OpenAI from 'openai';
import { workflowId } from '../../../contracts/names.ts';
import { type BatchClient, chatLine } from '../../harness/batches.ts';
import { promptOf } from '../../harness/prompt.ts';
import type { Stack } from '../../harness/stack.ts';
import { temporalClient } from '../../harness/streaming-worker.ts';
import { waitFor } from '../../harness/wait-for.ts';

interface Desk {
  readonly stack: Stack;
  readonly batches: BatchClient;
}

export async function joinsItsBatch({ stack, batches }: Desk): Promise<void> {
  const { openai } = batches;
  const input_file_id = await batches.upload([chatLine('a', promptOf({ tokens: 2 }))]);
  const create = (more: Partial<OpenAI.BatchCreateParams> = {}) =>
    openai.batches.create(
      { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h', ...more },
      { headers: { 'idempotency-key': 'night' } },
    );
  const { id } = await create();
  expect((await create()).id).toBe(id);
  await expect(create({ metadata: { other: '1' } })).rejects.toMatchObject({ status: 409 });
  const ended = await batches.endOf(id);
  // Its run is past Temporal's retention, and its file is gone.
  await openai.files.delete(input_file_id);
  await forgetRun(stack, id);
  expect(await create()).toEqual(ended);
  await expect(create({ metadata: { other: '1' } })).rejects.toMatchObject({ status: 409 });
  await expect(runOf(stack, id)).rejects.toThrow('not found');
}

/** While Temporal knows the run of a batch that was deleted, its key could start no other. */
export async function namesNoOtherBatch({ stack, anthropic }: { stack: Stack; anthropic: Anthropic }) {
  const { batches } = anthropic.messages;
  const create = () =>
    batches.create(
      {
        requests: [
          {
            custom_id: 'a',
            params: {
              model: 'simulated-messages/sim-large',
              max_tokens: 64,
              messages: [{ role: 'user', content: promptOf({ tokens: 2 }) }],
            },
          },
        ],
      },
      { maxRetries: 0, headers: { 'idempotency-key': 'deleted' } },
    );
  const { id } = await create();
  await untilRunEnded(stack, id);
  await batches.delete(id);
  for (let times = 1; times <= 2; times += 1) {
    await expect(create()).rejects.toMatchObject({
      status: 409,
      message: expect.stringContaining('send another key'),
    });
  }
  await expect(batches.retrieve(id)).rejects.toMatchObject({ status: 404 });
}

async function untilRunEnded(stack: Stack, batchId: string): Promise<void> {
  await waitFor('the end of the run', async () => (await runOf(stack, batchId)).status.name === 'COMPLETED');
}

async function runOf({ env }: Stack, batchId: string) {
  const { workflow } = await temporalClient(env);
  return workflow.getHandle(workflowId('dev', batchId)).describe();
}

async function forgetRun(stack: Stack, batchId: string): Promise<void> {
  const { connection, options } = await temporalClient(stack.env);
  await untilRunEnded(stack, batchId);
  await connection.workflowService.deleteWorkflowExecution({
    namespace: options.namespace,
    workflowExecution: { workflowId: workflowId('dev', batchId) },
  });
  await waitFor('Temporal to forget the run', () =>
    runOf(stack, batchId).then(
      () => false,
      () => true,
    ),
  );
}
