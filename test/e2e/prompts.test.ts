import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient, type UnbrokenClient } from '../../clients/typescript/index.ts';
import { DEFAULTS } from '../../contracts/limits.ts';
import { workflowId } from '../../contracts/names.ts';
import type { VersionStats } from '../../contracts/prompts.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
let client: UnbrokenClient;
let name: string;

beforeAll(async () => {
  stack = await startStack({ workers: 2, config: { output: { learn: { minAnswers: 20 } } } });
  client = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

/** A separate prompt, with two versions. */
async function newPrompt(): Promise<string> {
  name = `support-${randomUUID()}`;
  for (const tone of ['warmly', 'in one line']) {
    await client.prompts.addVersion(name, {
      system: `Answer {{company}}'s customers ${tone}.`,
      messages: [{ role: 'user', content: 'About {{topic}}:' }],
      variables: { company: {}, topic: { maxChars: 20, default: 'shoes' } },
    });
  }
  return name;
}

const statsOf = async (version: number): Promise<VersionStats> => {
  const found = (await client.prompts.stats(name)).versions.find(
    (candidate) => candidate.version === version,
  );
  if (found === undefined) throw new Error(`no version ${version}`);
  return found;
};

const settled = (version: number, requests: number) =>
  waitFor(`${requests} requests of version ${version}`, async () => {
    const stats = await statsOf(version);
    return stats.requests >= requests && stats;
  });

describe('a generation with a named prompt', () => {
  test('sends what the version says, tells which it was, and is counted', async () => {
    await newPrompt();
    await client.prompts.setLabel(name, 'production', { version: 2 });
    const input = promptOf({ tokens: 30, delayMs: 1 });
    const request = { prompt: { name, variables: { company: 'Acme' } }, input, cache: 'off' as const };
    const generation = await client.generate(request);
    const events = [];
    for await (const event of generation) events.push(event);
    expect(events[0]).toMatchObject({ type: 'generation-start', prompt: { name, version: 2 } });
    const messages = [
      { role: 'user' as const, content: 'About shoes:' },
      { role: 'user' as const, content: input },
    ];
    const expected = await stack.sim.text(messages, "Answer Acme's customers in one line.");
    const view = await client.get(generation.id);
    expect(view).toMatchObject({ prompt: { name, version: 2 }, text: expected.text });
    const stats = await settled(2, 1);
    expect(stats).toMatchObject({
      requests: 1,
      completed: 1,
      outputTokens: 30,
      costMicroUsd: view.costMicroUsd,
    });
    expect(stats.firstTokenMs?.p50).toBeGreaterThan(0);
    const temporal = await temporalClient(stack.env);
    const run = await temporal.workflow.getHandle(workflowId('dev', generation.id)).describe();
    expect(run.searchAttributes['UnbrokenPromptVersion']).toEqual([`${name}@2`]);
    await client.giveFeedback(generation.id, { score: 1, comment: 'short and right' });
    await client.giveFeedback(generation.id, { score: 1, comment: 'short and right' });
    expect((await statsOf(2)).feedback).toEqual({ count: 1, positive: 1, negative: 0, mean: 1 });
    expect(await client.prompts.feedback(name)).toMatchObject([{ comment: 'short and right' }]);
  });

  test('sent again under its key gets the version that it got first, though the label has moved', async () => {
    await newPrompt();
    await client.prompts.setLabel(name, 'production', { version: 1 });
    const request = {
      prompt: { name, variables: { company: 'Acme' } },
      cache: 'off' as const,
      input: promptOf({ tokens: 200, delayMs: 5 }),
    };
    const idempotencyKey = randomUUID();
    const first = await client.submit(request, { idempotencyKey });
    await client.prompts.setLabel(name, 'production', { version: 2 });
    const second = await client.submit(request, { idempotencyKey });
    await client.prompts.removeLabel(name, 'production');
    const third = await client.submit(request, { idempotencyKey });
    expect([second.id, third.id]).toEqual([first.id, first.id]);
    expect(third.prompt).toEqual({ name, version: 1 });
    await startReading(stack.api, first.id).whole;
    await settled(1, 1);
    expect((await statsOf(2)).requests).toBe(0);
  });

  test('is counted once though the worker that streams it is killed', async () => {
    await newPrompt();
    const { id } = await client.submit({
      prompt: { name, version: 1, variables: { company: 'Acme' } },
      cache: 'off',
      input: promptOf({ tokens: 300, delayMs: 5 }),
    });
    const reading = startReading(stack.api, id);
    await reading.deltas(30);
    const victim = await waitFor('the worker that streams', () => streamingWorker(stack, id));
    await victim.kill();
    await victim.restart();
    await reading.whole;
    const stats = await settled(1, 1);
    const temporal = await temporalClient(stack.env);
    await temporal.workflow.getHandle(workflowId('dev', id)).result();
    expect(await statsOf(1)).toEqual(stats);
    expect(stats).toMatchObject({ requests: 1, completed: 1, outputTokens: 300 });
  });

  test('gets an output cap of what its answers were seen to need', async () => {
    await newPrompt();
    const ask = async (tokens: number, user?: string) => {
      const generation = await client.generate({
        prompt: { name, version: 1, variables: { company: 'Acme' } },
        cache: 'off',
        input: promptOf({ tokens, delayMs: 0 }),
        ...(user === undefined ? {} : { user }),
      });
      for await (const event of generation) {
        if (event.type === 'budget-reserve') return { id: generation.id, cap: event.maxOutputTokens };
      }
      throw new Error('no budget was reserved');
    };
    expect((await ask(100)).cap).toBe(DEFAULTS.maxOutputTokens);
    for (let count = 1; count < 20; count += 1) await ask(100);
    await settled(1, 20);
    const learnt = await waitFor('the learnt cap', async () => {
      const answer = await ask(400);
      return answer.cap < DEFAULTS.maxOutputTokens && answer;
    });
    expect(learnt.cap).toBeGreaterThanOrEqual(145);
    expect(learnt.cap).toBeLessThanOrEqual(600);
    await startReading(stack.api, learnt.id).whole;
    const cut = await client.get(learnt.id);
    expect(cut.finishReason).toBe('length');
  });
});

describe('a prompt that cannot be served', () => {
  test.each([
    ['a name that is not known', { name: 'nobody' }, 404, 'prompt_not_found'],
    ['a version that is not there', { version: 9 }, 404, 'prompt_not_found'],
    ['a label that is not there', { label: 'beta' }, 404, 'prompt_not_found'],
    ['a missing variable', { version: 1, variables: {} }, 400, 'prompt_variables_invalid'],
    [
      'an unknown variable',
      { version: 1, variables: { company: 'A', x: 1 } },
      400,
      'prompt_variables_invalid',
    ],
    [
      'a variable that is too long',
      { version: 1, variables: { company: 'A', topic: 'x'.repeat(21) } },
      400,
      'prompt_variables_invalid',
    ],
    ['version and label', { version: 1, label: 'beta' }, 400, 'invalid_request'],
  ])('by %s gets a clear error', async (_, changed, status, code) => {
    await newPrompt();
    const prompt = { name, variables: { company: 'Acme' }, ...changed };
    const answer = await stack.api.create({ input: 'x', prompt });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  test('may not be changed with a key that has not the scope admin, nor seen by another tenant', async () => {
    await newPrompt();
    const other = connectApi(stack.api.url, await stack.addKey({ tenant: 'other', user: 'eve' }));
    expect((await other.send(`/v1/prompts/${name}`)).status).toBe(404);
    const body = JSON.stringify({ system: 'x' });
    const added = await other.send(`/v1/prompts/${name}/versions`, { method: 'POST', body });
    expect(added.status).toBe(403);
    const own = await stack.api.send(`/v1/prompts/${name}/versions`, {
      method: 'POST',
      body: '{"system":"{{x}}"}',
    });
    expect(own.status).toBe(400);
    expect(await own.json()).toMatchObject({ error: { message: '{{x}} is not declared in variables.' } });
  });
});
