/** Requests as the Codex CLI sends them in its default configuration, to a provider of every format. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { ResponseCreateParams } from 'openai/resources/responses/responses';
import { type Stack, startStack } from '../../harness/stack.ts';

let stack: Stack;
let client: OpenAI;
beforeAll(async () => {
  stack = await startStack();
  client = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
});
afterAll(() => stack?.stop());

const PROVIDERS = ['simulated', 'simulated-chat', 'simulated-messages', 'simulated-google'];
const SHELL = {
  type: 'function',
  name: 'exec_command',
  strict: false,
  parameters: { type: 'object', properties: { cmd: { type: 'string' } } },
};
const PATCH = {
  type: 'custom',
  name: 'apply_patch',
  description: 'Use the `apply_patch` tool to edit files.',
  format: { type: 'grammar', syntax: 'lark', definition: 'start: "*** Begin Patch"' },
};
const AGENTS = {
  type: 'namespace',
  name: 'multi_agent_v1',
  description: 'Other agents.',
  tools: [{ ...SHELL, name: 'spawn_agent', description: 'Starts one.' }],
};
const TOOLS = [SHELL, PATCH, AGENTS, { type: 'web_search', external_web_access: true }];
let questions = 0;
const ask = (directive: string) => {
  questions += 1;
  return { role: 'user', content: `Do it ${questions}. [[sim ${directive} delay_ms=0]]` };
};
const INSTRUCTIONS = 'You are a coding agent.';

async function create(provider: string, body: object) {
  const request = { model: `${provider}/sim-large`, instructions: INSTRUCTIONS, store: false, ...body };
  return client.responses
    .create({ ...request, stream: false } as ResponseCreateParams & { stream: false })
    .withResponse();
}

describe.each(PROVIDERS)('%s', (provider) => {
  test('answers beside the tools that it does not have, and the response names those', async () => {
    const { data, response } = await create(provider, { tools: TOOLS, input: [ask('tokens=8')] });
    expect(data.status).toBe('completed');
    expect(response.headers.get('x-unbroken-dropped')).toContain('tools.web_search');
    expect(data.tools.map(({ type }) => type)).toEqual(['function', 'custom', 'namespace']);
  });

  test('calls a tool of a namespace under its own names, and reads its result', async () => {
    const question = ask('tool=multi_agent_v1__spawn_agent');
    const { data } = await create(provider, { tools: TOOLS, input: [question] });
    const call = data.output.find(({ type }) => type === 'function_call');
    expect(call).toMatchObject({ name: 'spawn_agent', namespace: 'multi_agent_v1' });
    const result = {
      type: 'function_call_output',
      call_id: (call as { call_id: string }).call_id,
      output: 'ok',
    };
    const next = await create(provider, { tools: TOOLS, input: [question, call, result] });
    expect(next.data.status).toBe('completed');
  });

  test('gets the tools that stand in the input, also in the turns that follow', async () => {
    const additional = { type: 'additional_tools', role: 'developer', tools: [SHELL] };
    const first = await create(provider, { store: true, input: [additional, ask('tokens=8')] });
    const tool = { previous_response_id: first.data.id, input: [ask('tokens=8')], tool_choice: 'required' };
    const { data } = await create(provider, tool);
    expect(data.output.at(-1)).toMatchObject({ type: 'function_call', name: 'exec_command' });
  });
});

describe.each(PROVIDERS)('%s', (provider) => {
  test('calls a custom tool with its text, streamed and whole, and reads its result', async () => {
    const question = ask('tool=apply_patch');
    const { data } = await create(provider, { tools: TOOLS, input: [question] });
    const call = data.output.find(({ type }) => type === 'custom_tool_call');
    expect(call).toMatchObject({ name: 'apply_patch', input: expect.any(String) });
    const { call_id, input } = call as { call_id: string; input: string };
    const output = { type: 'custom_tool_call_output', call_id, output: 'Done.' };
    const next = await create(provider, { tools: TOOLS, store: true, input: [question, call, output] });
    expect(next.data.status).toBe('completed');
    const listed = await client.responses.inputItems.list(next.data.id, { order: 'asc' });
    expect(listed.data.slice(1)).toMatchObject([
      { type: 'custom_tool_call', input },
      { type: 'custom_tool_call_output', output: 'Done.' },
    ]);
    const stream = await client.responses.create({
      model: `${provider}/sim-large`,
      tools: TOOLS as ResponseCreateParams['tools'],
      input: [question],
      stream: true,
    } as ResponseCreateParams & { stream: true });
    const types: string[] = [];
    let streamed = '';
    for await (const event of stream) {
      types.push(event.type);
      if (event.type === 'response.custom_tool_call_input.delta') streamed += event.delta;
    }
    expect(types.slice(-2)).toEqual(['response.output_item.done', 'response.completed']);
    // A provider of the same format sends the item, which is passed on whole.
    if (provider !== 'simulated') expect(streamed).toBe(input);
  });
});

test('a provider of the same format gets custom tools as they are, with their grammar', async () => {
  const question = ask('tokens=8');
  const call = { type: 'custom_tool_call', call_id: 'c1', name: 'apply_patch', input: '*** Begin Patch' };
  const output = { type: 'custom_tool_call_output', call_id: 'c1', output: 'Done.' };
  await create('simulated', { tools: TOOLS, input: [call, output, question] });
  const [received] = await stack.sim.received(question.content);
  const { tools, input } = { ...received?.body } as { tools: object[]; input: object[] };
  expect(tools[1]).toEqual(PATCH);
  expect(tools[2]).toMatchObject({ type: 'function', name: 'multi_agent_v1__spawn_agent' });
  expect(JSON.stringify(tools)).not.toContain('"namespace"');
  expect(input.slice(0, 2)).toEqual([call, output]);
});

test('tools that run at the vendor alone, or that change what is asked, are refused with the fix', async () => {
  for (const type of ['web_search', 'file_search', 'code_interpreter', 'mcp']) {
    await expect(create('simulated', { tools: [{ type }], input: 'x' })).rejects.toMatchObject({
      status: 400,
      param: 'tools.0.type',
      message: expect.stringMatching(`${type} .*offer a function`),
    });
  }
});

// https://github.com/Soju06/codex-lb/issues/971
test.each([false, true])(
  'compacts its session with a trigger, and continues (stream: %s)',
  async (isStream) => {
    const first = ask('tokens=8');
    const answered = { role: 'assistant', content: `A window ${questions}.` };
    const body = {
      model: 'simulated/sim-large',
      store: false,
      input: [first, answered, { type: 'compaction_trigger' }],
    } as unknown as ResponseCreateParams & { stream?: false };
    const response = isStream
      ? await client.responses.stream(body as object).finalResponse()
      : await client.responses.create(body);
    expect([response.status, response.output.map(({ type }) => type)]).toEqual(['completed', ['compaction']]);
    expect(response.usage?.output_tokens).toBeGreaterThan(0);
    const next = ask('tokens=8');
    const { data } = await create('simulated-messages', { input: [first, ...response.output, next] });
    expect(data.status).toBe('completed');
    const sent = JSON.stringify((await stack.sim.received(next.content)).at(-1)?.body);
    expect(sent).toContain('replaced by a summary');
    expect(sent).toContain(first.content);
    expect(sent).not.toContain(answered.content);
  },
);
