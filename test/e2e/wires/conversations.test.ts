/** Stored conversations by the official client, on real processes that are killed meanwhile. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { Message } from 'openai/resources/conversations/conversations';
import type { ConversationItem } from 'openai/resources/conversations/items';
import { promptOf } from '../../harness/prompt.ts';
import { type Seat, type Stack, startStack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated/sim-large';
let stack: Stack;
let client: OpenAI;
let worker: Seat;
let api: Seat;
beforeAll(async () => {
  stack = await startStack();
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
  const [firstWorker, firstApi] = [stack.workers[0], stack.apis[0]];
  if (firstWorker === undefined || firstApi === undefined) throw new Error('the stack has no processes');
  [worker, api] = [firstWorker, firstApi];
});
afterAll(() => stack?.stop());

const uncached = { headers: { 'x-unbroken-cache': 'off' } };
const user = (content: string) => ({ role: 'user' as const, content });
const short = () => promptOf({ tokens: 12, delayMs: 0 });

async function itemsOf(id: string): Promise<ConversationItem[]> {
  const items: ConversationItem[] = [];
  for await (const item of client.conversations.items.list(id, { order: 'asc', limit: 2 })) items.push(item);
  return items;
}

function textOf(item: ConversationItem): string {
  const [part] = (item as Message).content;
  return part !== undefined && 'text' in part ? part.text : '';
}

describe('the official client', () => {
  test('creates, reads, changes and deletes a conversation', async () => {
    const made = await client.conversations.create({ metadata: { topic: 'demo' }, items: [user('Hello!')] });
    expect(made).toMatchObject({ object: 'conversation', metadata: { topic: 'demo' } });
    expect(await client.conversations.retrieve(made.id)).toEqual(made);
    const changed = await client.conversations.update(made.id, { metadata: { topic: 'other' } });
    expect(changed).toEqual({ ...made, metadata: { topic: 'other' } });
    expect(await client.conversations.delete(made.id)).toEqual({
      id: made.id,
      object: 'conversation.deleted',
      deleted: true,
    });
    await expect(client.conversations.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test('adds, lists, reads and removes items, page by page in both orders', async () => {
    const { id } = await client.conversations.create();
    const call = { type: 'function_call' as const, call_id: 'c1', name: 'weather', arguments: '{}' };
    const added = await client.conversations.items.create(id, {
      items: [
        user('One'),
        { role: 'developer', content: 'In French.' },
        { role: 'assistant', content: 'Un' },
        call,
      ],
    });
    expect(added.data.map(({ type }) => type)).toEqual(['message', 'message', 'message', 'function_call']);
    expect(added.data[2]).toMatchObject({ content: [{ type: 'output_text', text: 'Un' }] });
    expect(await itemsOf(id)).toEqual(added.data);
    const newest = await client.conversations.items.list(id, { limit: 1 });
    expect(newest.data).toEqual(added.data.slice(-1));
    const [first] = added.data;
    if (first === undefined || !('id' in first)) throw new Error('no item');
    const itemId = String(first.id);
    const found = await client.conversations.items.retrieve(itemId, { conversation_id: id });
    expect(found).toEqual(first);
    await client.conversations.items.delete(itemId, { conversation_id: id });
    expect(await itemsOf(id)).toEqual(added.data.slice(1));
    await expect(client.conversations.items.list(id, { after: itemId })).rejects.toMatchObject({
      status: 400,
      param: 'after',
    });
    // A reference to an item of a conversation, as to one of a response.
    const developer = { type: 'item_reference' as const, id: String((added.data[1] as { id?: string }).id) };
    const response = await client.responses.create(
      { model: MODEL, input: [developer, user(short())] },
      uncached,
    );
    expect((await client.responses.inputItems.list(response.id, { order: 'asc' })).data[0]).toMatchObject({
      role: 'developer',
      content: [{ text: 'In French.' }],
    });
  });

  test('an item counts at each reference to it: few bytes may name a large one often', async () => {
    const { id } = await client.conversations.create({ items: [user('x'.repeat(1_000_000))] });
    const [large] = (await client.conversations.items.list(id)).data;
    const named = { type: 'item_reference' as const, id: String((large as { id?: string }).id) };
    const refused = { status: 413, message: expect.stringContaining('The items that are referred to') };
    const input = Array.from({ length: 9 }, () => named);
    await expect(client.responses.create({ model: MODEL, input }, uncached)).rejects.toMatchObject(refused);
    await expect(client.conversations.items.create(id, { items: input as never })).rejects.toMatchObject(
      refused,
    );
  });

  test('a response reads the items of its conversation, and leaves its own', async () => {
    const { id } = await client.conversations.create({
      items: [{ role: 'developer', content: 'Be brief.' }],
    });
    const inputs = [short(), short()];
    const answers: string[] = [];
    for (const input of inputs) {
      const response = await client.responses.create({ model: MODEL, input, conversation: id }, uncached);
      expect(response.conversation).toEqual({ id });
      answers.push(response.output_text);
    }
    const [received] = await stack.sim.received(inputs[1] ?? '');
    expect(JSON.stringify(received?.body)).toContain('Be brief.');
    expect(JSON.stringify(received?.body)).toContain(inputs[0]);
    const items = await itemsOf(id);
    expect(items.map(textOf)).toEqual(['Be brief.', inputs[0], answers[0], inputs[1], answers[1]]);
    const [, , , , last] = items as Message[];
    await client.conversations.items.delete(String(last?.id), { conversation_id: id });
    expect((await itemsOf(id)).map(textOf)).toEqual(['Be brief.', inputs[0], answers[0], inputs[1]]);
  });

  test('is refused both kinds of history at once, and what belongs to others', async () => {
    const { id } = await client.conversations.create({ items: [user('Secret')] });
    const previous = { conversation: id, previous_response_id: `resp_${'0'.repeat(32)}` };
    await expect(client.responses.create({ model: MODEL, input: 'x', ...previous })).rejects.toMatchObject({
      status: 400,
      param: 'conversation',
    });
    for (const owner of [
      { tenant: 'other', user: 'eve' },
      { tenant: 'dev', user: 'eve', scopes: ['generate' as const] },
    ]) {
      const apiKey = await stack.addKey(owner);
      const stranger = new OpenAI({ apiKey, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
      const notFound = { status: 404 };
      await expect(stranger.conversations.retrieve(id)).rejects.toMatchObject(notFound);
      await expect(stranger.conversations.delete(id)).rejects.toMatchObject(notFound);
      await expect(stranger.conversations.items.list(id)).rejects.toMatchObject(notFound);
      await expect(
        stranger.responses.create({ model: MODEL, input: 'x', conversation: id }),
      ).rejects.toMatchObject({ status: 404, param: 'conversation' });
    }
    expect(await itemsOf(id)).toHaveLength(1);
  });
});

describe('the turns of a conversation', () => {
  test('follow each other: a second response is refused while one runs', async () => {
    const { id } = await client.conversations.create();
    const running = await client.responses.create(
      {
        model: MODEL,
        input: promptOf({ tokens: 2_000, delayMs: 10 }),
        conversation: { id },
        background: true,
      },
      uncached,
    );
    await expect(
      client.responses.create({ model: MODEL, input: short(), conversation: id }, uncached),
    ).rejects.toMatchObject({
      status: 409,
      code: 'conversation_locked',
      message: expect.stringContaining(running.id),
    });
    await client.responses.cancel(running.id);
    // A cancelled response leaves nothing.
    expect(await itemsOf(id)).toEqual([]);
    const input = short();
    await client.responses.create({ model: MODEL, input, conversation: id }, uncached);
    expect((await itemsOf(id)).map(textOf)[0]).toBe(input);
  });

  test('are added once when worker and API are killed, and the request is sent again', async () => {
    const { id } = await client.conversations.create();
    const input = promptOf({ tokens: 150, delayMs: 10 });
    const headers = { ...uncached.headers, 'idempotency-key': randomUUID() };
    const create = () =>
      client.responses.create({ model: MODEL, input, conversation: id, background: true }, { headers });
    const { id: response } = await create();
    await waitFor('some text', async () => (await client.responses.retrieve(response)).output_text !== '');
    await worker.kill();
    await api.kill();
    await Promise.all([worker.restart(), api.restart()]);
    expect((await create()).id).toBe(response);
    const done = await waitFor('the end', async () => {
      const now = await client.responses.retrieve(response);
      return now.status !== 'in_progress' && now;
    });
    expect(done.status).toBe('completed');
    expect((await create()).id).toBe(response);
    const expected = [input, (await stack.sim.text(input)).text];
    expect((await itemsOf(id)).map(textOf)).toEqual(expected);
    // A repeated request neither reads nor adds its own turn again.
    expect((await create()).id).toBe(response);
    expect((await itemsOf(id)).map(textOf)).toEqual(expected);
  });

  test('stay when the response is deleted, and go with the conversation', async () => {
    const { id } = await client.conversations.create();
    const input = short();
    const { id: response } = await client.responses.create(
      { model: MODEL, input, conversation: id },
      uncached,
    );
    await client.responses.delete(response);
    expect((await itemsOf(id)).map(textOf)[0]).toBe(input);
    await client.conversations.delete(id);
    await expect(client.conversations.items.list(id)).rejects.toMatchObject({ status: 404 });
  });
});
