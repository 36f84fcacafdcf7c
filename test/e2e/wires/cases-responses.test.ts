/** Reported cases about items that a response refers to, and about pages that resume, each by its number. */
import { createOpenAI } from '@ai-sdk/openai';
import { Chat } from '@ai-sdk/react';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DefaultChatTransport, generateText, type UIMessage } from 'ai';
import OpenAI from 'openai';
import { promptOf } from '../../harness/prompt.ts';
import { type Stack, startStack } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';

const MODEL = 'simulated/sim-large';
let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack();
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
});
afterAll(() => stack?.stop());

const short = () => promptOf({ tokens: 12, delayMs: 0 });
const user = (content: string) => ({ role: 'user' as const, content });

test('case 2: the second turn of the AI SDK refers to the first, whose text the model gets', async () => {
  const openai = createOpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1` });
  const [earlier, later] = [user(short()), user(short())];
  const first = await generateText({ model: openai.responses(MODEL), messages: [earlier] });
  const messages = [earlier, ...first.response.messages, later];
  expect((await generateText({ model: openai.responses(MODEL), messages })).text).not.toBe('');
  const [received] = await stack.sim.received(later.content);
  expect(JSON.stringify(received?.body)).toContain(JSON.stringify(first.text).slice(1, -1));
});

test.each([
  ['with its type', { type: 'item_reference' }],
  ['without a type', {}],
  ['with a null for its type', { type: null }],
])('case 2: a reference %s names an item of the output or of the input', async (_how, shape) => {
  const { id, output, output_text: text } = await client.responses.create({ model: MODEL, input: short() });
  const inputs = await client.responses.inputItems.list(id);
  const last = short();
  const references = [inputs.data[0]?.id, output[0]?.id].map((item) => ({ ...shape, id: item }));
  const input = [...references, user(last)] as never;
  const response = await client.responses.create({ model: MODEL, input });
  expect(response.status).toBe('completed');
  const [received] = await stack.sim.received(last);
  expect(JSON.stringify(received?.body)).toContain(JSON.stringify(text).slice(1, -1));
});

test('case 2: items of others, of unstored responses and of none are not found, by their place', async () => {
  const input = short();
  const kept = await client.responses.create({ model: MODEL, input });
  const unstored = await client.responses.create({ model: MODEL, input: short(), store: false });
  const apiKey = await stack.addKey({ tenant: 'other', user: 'eve' });
  const stranger = new OpenAI({ apiKey, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
  for (const [asker, id] of [
    [stranger, kept.output[0]?.id],
    [client, unstored.output[0]?.id],
    [client, `msg_${'0'.repeat(32)}_0`],
    [client, 'msg_nonsense'],
  ] as const) {
    const reference = { type: 'item_reference' as const, id: id ?? '' };
    await expect(
      asker.responses.create({ model: MODEL, input: [user('A'), reference] }),
    ).rejects.toMatchObject({ status: 404, param: 'input.1', message: expect.not.stringContaining(input) });
  }
});

test('a file that only the vendor has is refused by its place, in an input and in a result', async () => {
  for (const input of [
    [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }],
    [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image', file_id: 'file-1' }] }],
  ]) {
    await expect(client.responses.create({ model: MODEL, input: input as never })).rejects.toMatchObject({
      status: 400,
      param: expect.stringMatching(/^input\.0\.(content|output)\.0\.file_id$/),
    });
  }
});

test('case 44: a page that resumes with a part of the answer shows its text once', async () => {
  const content = promptOf({ tokens: 120, delayMs: 8 });
  const chatOf = (id: string, messages: UIMessage[]) =>
    new Chat({
      id,
      messages,
      transport: new DefaultChatTransport({
        api: `${stack.api.url}/v1/ui/chat`,
        headers: { authorization: `Bearer ${stack.api.key}`, 'x-unbroken-cache': 'off' },
        body: { model: MODEL },
      }),
    });
  const textOf = ({ messages }: { messages: UIMessage[] }) =>
    (messages.at(-1)?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
  const id = `chat-${Date.now()}`;
  const page = chatOf(id, []);
  const sending = page.sendMessage({ text: content });
  await waitFor('a part of the answer', async () => page.messages.length > 1 && textOf(page).length > 40);
  const partial = structuredClone(page.messages);
  const resumed = chatOf(id, partial);
  await resumed.resumeStream();
  await sending;
  expect(textOf(resumed)).toBe((await stack.sim.text(content)).text);
  expect(resumed.messages).toHaveLength(2);
});
