/** A message batch of a user who may open no more. */
import type Anthropic from '@anthropic-ai/sdk';
import { expect } from '@jest/globals';
import { promptOf } from '../../harness/prompt.ts';
import type { Stack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

interface Desk {
  readonly stack: Stack;
  readonly anthropic: Anthropic;
  readonly mostOpen: number;
}

export async function joinsTheFirst({ stack, anthropic, mostOpen }: Desk): Promise<void> {
  const create = (content: string, retryCount: number) =>
    anthropic.messages.batches.create(
      {
        requests: [
          {
            custom_id: 'a',
            params: {
              model: 'simulated-messages/sim-large',
              max_tokens: 64,
              messages: [{ role: 'user', content }],
            },
          },
        ],
      },
      { maxRetries: 0, headers: { 'x-stainless-retry-count': `${retryCount}` } },
    );
  const refused = { status: 429, message: expect.stringContaining('batches.perUser') };
  const held = () => promptOf({ tokens: 4, holdAt: 1 });
  const ids: string[] = [];
  let lastPrompt = '';
  const fill = async () => {
    // Batches of other tests may be open.
    for (let count = 0; count <= mostOpen; count += 1) {
      const prompt = held();
      ids.push((await create(prompt, 0)).id);
      lastPrompt = prompt;
    }
  };
  await expect(fill()).rejects.toMatchObject(refused);
  expect((await create(lastPrompt, 1)).id).toBe(ids.at(-1));
  await expect(create(held(), 1)).rejects.toMatchObject(refused);
  await waitFor('the ends of the batches', async () => {
    await stack.sim.release();
    const batches = await Promise.all(ids.map((id) => anthropic.messages.batches.retrieve(id)));
    return batches.every(({ processing_status }) => processing_status === 'ended');
  });
}
