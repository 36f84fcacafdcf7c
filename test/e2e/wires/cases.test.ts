/** What users of other gateways have reported as lost or changed, asked of this one: each case by its number. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from '../../harness/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const WORD = 'Say a word. [[sim tokens=1 delay_ms=0]]';
const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' } as const;
const PROVIDERS = { chat: 'simulated-chat', responses: 'simulated', messages: 'simulated-messages' } as const;
type Format = keyof typeof PATHS;

interface Outcome {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  /** What the provider received. */
  readonly upstream: Record<string, unknown>;
  readonly upstreamHeaders: Readonly<Record<string, string>>;
}

let sent = 0;

/** Sends a request to a provider of a format: its own unless another is named. */
async function send(format: Format, body: object, to: Format = format, headers = {}): Promise<Outcome> {
  sent += 1;
  const model = `case-${sent}-`;
  const request = {
    model: `${PROVIDERS[to]}/${model}`,
    ...(format === 'messages' ? { max_tokens: 4_000 } : {}),
    ...body,
  };
  const response = await fetch(`${stack.api.url}${PATHS[format]}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${stack.api.key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
      ...headers,
    },
    body: JSON.stringify(request),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  const [received] = await stack.sim.received(model);
  return {
    status: response.status,
    headers: response.headers,
    body: answer,
    upstream: { ...received?.body },
    upstreamHeaders: { ...received?.headers },
  };
}

const user = { role: 'user', content: WORD };
const tool = { name: 'lookup', input_schema: { type: 'object' } };
const chatTool = { type: 'function', function: { name: 'lookup', parameters: { type: 'object' } } };
const schema = {
  type: 'object',
  properties: { a: { type: 'string' }, b: { type: 'string' } },
  required: ['a', 'b'],
  additionalProperties: false,
};

describe('messages', () => {
  const laterSystem = { role: 'system', content: [{ type: 'text', text: 'Agents available: none.' }] };

  test.each([
    ['at the end', [user, laterSystem]],
    ['in the middle', [{ role: 'user', content: 'Hello' }, laterSystem, user]],
  ])(
    'case 1: a system message %s reaches a model that may refuse its role, and its beta the vendor',
    async (_where, messages) => {
      const headers = { 'anthropic-beta': 'mid-conversation-system-2026-04-07' };
      const { status, upstream, upstreamHeaders } = await send(
        'messages',
        { system: 'Be short.', messages },
        'messages',
        headers,
      );
      expect(status).toBe(200);
      expect(upstream).toMatchObject({
        system: 'Be short.\n\nAgents available: none.',
        messages: messages.filter((message) => message !== laterSystem),
      });
      expect(upstreamHeaders).toMatchObject(headers);
    },
  );

  test('case 1: another format gets both system texts', async () => {
    const { status, upstream } = await send(
      'messages',
      { system: 'Be short.', messages: [user, laterSystem] },
      'chat',
    );
    expect(status).toBe(200);
    expect(JSON.stringify(upstream['messages'])).toMatch(/Be short\..*Agents available/);
  });

  test('case 1: count_tokens counts it', async () => {
    const count = async (messages: object[]) => {
      const body = JSON.stringify({ model: 'simulated/sim-large', messages });
      const response = await stack.api.send('/v1/messages/count_tokens', { method: 'POST', body });
      return ((await response.json()) as { input_tokens: number }).input_tokens;
    };
    expect(await count([user, laterSystem])).toBeGreaterThan(await count([user]));
  });

  test('case 6: a picture in the result of a tool reaches the model, in every format', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: PNG.slice(PNG.indexOf(',') + 1) };
    const result = {
      type: 'tool_result',
      tool_use_id: 't1',
      content: [
        { type: 'text', text: 'here' },
        { type: 'image', source },
      ],
    };
    const messages = [
      user,
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'lookup', input: {} }] },
      { role: 'user', content: [result] },
    ];
    const own = await send('messages', { messages, tools: [tool] });
    expect(own.upstream).toMatchObject({ messages: [user, messages[1], { content: [result] }] });
    for (const to of ['chat', 'responses'] as const) {
      const { status, upstream } = await send('messages', { messages, tools: [tool] }, to);
      expect(status).toBe(200);
      expect(JSON.stringify(upstream)).toContain(PNG);
    }
  });

  test('case 19: cache marks arrive where the client put them', async () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const body = {
      ...mark,
      system: [
        { type: 'text', text: 'First block.' },
        { type: 'text', text: 'Second block.', ...mark },
      ],
      messages: [{ role: 'user', content: [{ type: 'text', text: WORD, ...mark }] }],
      tools: [{ ...tool, ...hour }],
    };
    const { upstream } = await send('messages', body);
    expect(upstream).toMatchObject(body);
    const other = await send('messages', body, 'chat');
    expect(other.headers.get('x-unbroken-dropped')).toContain('cache_control');
  });

  test('case 28: arguments that were cut are no other arguments', async () => {
    const question = [{ role: 'user', content: 'w [[sim tool=weather delay_ms=0]]' }];
    const weather = {
      name: 'weather',
      input_schema: { type: 'object', properties: { city: { type: 'string' } } },
    };
    const { body } = await send('messages', { max_tokens: 2, messages: question, tools: [weather] });
    expect(body).toMatchObject({ stop_reason: 'max_tokens', content: [{ type: 'tool_use', input: {} }] });
  });

  test('case 24: a block in a turn that cannot have it is refused by its place', async () => {
    const call = { type: 'tool_use', id: 't1', name: 'lookup', input: {} };
    const { status, body } = await send(
      'messages',
      { messages: [user, { role: 'user', content: [call] }] },
      'chat',
    );
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('messages.1.content.0');
  });

  test('case 33: an assistant turn at the end is what the model continues', async () => {
    const prefill = { role: 'assistant', content: 'A word' };
    const { status, upstream } = await send('messages', { messages: [user, prefill] });
    expect(status).toBe(200);
    expect(upstream).toMatchObject({ messages: [user, prefill] });
  });
});

describe('chat completions and Responses', () => {
  test.each<[Format, object, string]>([
    ['chat', { parallel_tool_calls: false, messages: [user], tools: [chatTool] }, 'parallel_tool_calls'],
    [
      'responses',
      { parallel_tool_calls: false, input: WORD, tools: [{ type: 'function', name: 'lookup' }] },
      'parallel_tool_calls',
    ],
    [
      'messages',
      { tool_choice: { type: 'auto', disable_parallel_tool_use: true }, messages: [user], tools: [tool] },
      '',
    ],
  ])('case 5: "not in parallel" reaches every provider: %s', async (format, body) => {
    expect((await send(format, body, 'chat')).upstream).toMatchObject({ parallel_tool_calls: false });
    expect((await send(format, body, 'responses')).upstream).toMatchObject({ parallel_tool_calls: false });
    const choice = { disable_parallel_tool_use: true };
    expect((await send(format, body, 'messages')).upstream).toMatchObject({ tool_choice: choice });
  });

  test('case 7: json_object stays json_object', async () => {
    const format = { type: 'json_object' };
    const chat = { messages: [user], response_format: format };
    expect((await send('chat', chat)).upstream['response_format']).toEqual(format);
    expect((await send('chat', chat, 'responses')).upstream['text']).toEqual({ format });
    const responses = { input: WORD, text: { format } };
    expect((await send('responses', responses)).upstream['text']).toEqual({ format });
  });

  test.each([false, true, undefined])('case 25: strict is what the client says: %s', async (strict) => {
    const format = { name: 'p', schema, description: 'A pair.', ...(strict === undefined ? {} : { strict }) };
    const expected = { ...format, strict: strict ?? false };
    const chat = { messages: [user], response_format: { type: 'json_schema', json_schema: format } };
    expect((await send('chat', chat)).upstream['response_format']).toEqual({
      type: 'json_schema',
      json_schema: expected,
    });
    const responses = await send('responses', {
      input: WORD,
      text: { format: { type: 'json_schema', ...format } },
    });
    expect(responses.upstream['text']).toEqual({ format: { type: 'json_schema', ...expected } });
    expect(responses.body['text']).toEqual({ format: { type: 'json_schema', ...expected } });
  });

  test('case 14: developer messages of the first turn are in every later one, and instructions are not', async () => {
    const developer = { role: 'developer', content: 'Answer in French.' };
    const first = await send('responses', { instructions: 'Be brief.', input: [developer, user] });
    const second = await send('responses', { previous_response_id: first.body['id'], input: WORD });
    const third = await send('responses', { previous_response_id: second.body['id'], input: WORD });
    for (const { upstream } of [second, third]) {
      expect(upstream['input']).toContainEqual(developer);
      expect(upstream['instructions']).toBeUndefined();
    }
    const listed = await stack.api.send(`/v1/responses/${first.body['id']}/input_items?order=asc`);
    expect(await listed.json()).toMatchObject({ data: [{ role: 'developer' }, { role: 'user' }] });
  });

  test('case 2: an item reference becomes the item that it names', async () => {
    const first = await send('responses', { input: 'A [[sim tokens=5 delay_ms=0]]' });
    const [item] = first.body['output'] as { id: string; content: { text: string }[] }[];
    const input = [{ role: 'user', content: 'A' }, { type: 'item_reference', id: item?.id }, user];
    const second = await send('responses', { input });
    expect(second.status).toBe(200);
    expect(JSON.stringify(second.upstream['input'])).toContain(JSON.stringify(item?.content[0]?.text));
    expect(second.upstream['input']).toHaveLength(3);
  });

  test('case 2: a reference to what the caller may not see is not found, by its place', async () => {
    const id = `msg_${'0'.repeat(32)}_0`;
    const { status, body } = await send('responses', { input: [user, { type: 'item_reference', id }] });
    expect(status).toBe(404);
    expect(body).toMatchObject({ error: { param: 'input.1' } });
  });

  test('case 18: a long or odd id of a call comes back, and each vendor gets one that it takes', async () => {
    const history = (id: string) => [
      user,
      {
        role: 'assistant',
        tool_calls: [{ id, type: 'function', function: { name: 'lookup', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: id, content: 'found' },
    ];
    const long = `call_${'x'.repeat(300)}`;
    expect((await send('chat', { messages: history(long), tools: [chatTool] })).status).toBe(200);
    const responses = await send('chat', { messages: history(long), tools: [chatTool] }, 'responses');
    const ids = (responses.upstream['input'] as { call_id?: string }[]).flatMap(
      ({ call_id }) => call_id ?? [],
    );
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]?.length).toBeLessThanOrEqual(64);
    const messages = await send(
      'chat',
      { messages: history('functions.weather:0'), tools: [chatTool] },
      'messages',
    );
    const used = JSON.stringify(messages.upstream['messages']).match(/"(?:id|tool_use_id)":"[^"]+"/g) ?? [];
    expect(used).toHaveLength(2);
    for (const id of used) expect(id).toMatch(/":"[a-zA-Z0-9_-]+"$/);
  });

  test.each(['plan', ''])(
    'case 23: reasoning_content goes back to the vendor that asks for it: "%s"',
    async (reasoning) => {
      const call = { id: 'c1', type: 'function', function: { name: 'lookup', arguments: '{}' } };
      const turn = { role: 'assistant', content: null, reasoning_content: reasoning, tool_calls: [call] };
      const messages = [user, turn, { role: 'tool', tool_call_id: 'c1', content: 'found' }];
      const { upstream } = await send('chat', { messages, tools: [chatTool] });
      expect(upstream).toMatchObject({ messages: [user, turn, { role: 'tool' }] });
    },
  );

  test.each([
    { seed: 7 },
    { logit_bias: { 50256: -100 } },
    { top_k: 5 },
    { verbosity: 'low' },
    { min_p: 0.1 },
    { prediction: { type: 'content', content: 'a' } },
    { reasoning_effort: 'xhigh' },
    { presence_penalty: 0.5 },
  ])('case 24: a field that changes the answer arrives: %j', async (field) => {
    expect((await send('chat', { messages: [user], ...field })).upstream).toMatchObject(field);
  });

  test.each([{ web_search_options: {} }, { modalities: ['audio'] }, { function_call: 'auto' }])(
    'case 24: a field that cannot be kept is refused by name: %j',
    async (field) => {
      const { status, body } = await send('chat', { messages: [user], ...field });
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { param: Object.keys(field)[0] } });
    },
  );

  test('case 28: empty arguments in the history become an empty object', async () => {
    const call = { id: 'c1', type: 'function', function: { name: 'lookup', arguments: '' } };
    const messages = [
      user,
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: '' },
    ];
    const { upstream } = await send('chat', { messages: [...messages, user], tools: [chatTool] });
    expect(JSON.stringify(upstream)).toContain('"arguments":"{}"');
  });

  test('case 31: 150 tools with long names and a long description are judged by the vendor', async () => {
    const name = (index: number) => `fs.read.${'n'.repeat(90)}${index}`;
    const tools = Array.from({ length: 150 }, (_, index) => ({ ...tool, name: name(index) }));
    const described = [{ ...tool, description: 'd'.repeat(9_500) }, ...tools];
    expect((await send('messages', { messages: [user], tools: described })).status).toBe(200);
  });

  test.each<[Format, Format]>([
    ['chat', 'messages'],
    ['chat', 'chat'],
    ['chat', 'responses'],
    ['responses', 'messages'],
    ['messages', 'chat'],
  ])('case 33: from %s to %s, the last turn stays the assistant', async (format, to) => {
    const turns = [user, { role: 'assistant', content: 'A word' }];
    const body = format === 'responses' ? { input: turns } : { messages: turns };
    const { status, upstream } = await send(format, body, to);
    expect(status).toBe(200);
    const sent = (upstream['messages'] ?? upstream['input']) as object[];
    expect(sent.at(-1)).toMatchObject({ role: 'assistant' });
  });

  test.each<[Format, Format]>([
    ['chat', 'messages'],
    ['chat', 'chat'],
    ['responses', 'responses'],
    ['responses', 'messages'],
  ])('case 1: from %s to %s, a system message in the middle reaches the model', async (format, to) => {
    const system = { role: format === 'chat' ? 'system' : 'developer', content: 'Agents available: none.' };
    const turns = [{ role: 'user', content: 'Hello' }, { role: 'assistant', content: 'Hi' }, system, user];
    const body = format === 'responses' ? { input: turns } : { messages: turns };
    const { status, upstream } = await send(format, body, to);
    expect(status).toBe(200);
    expect(JSON.stringify(upstream)).toContain('Agents available');
    const sent = (upstream['messages'] ?? upstream['input']) as object[];
    expect(sent.at(-1)).toMatchObject({ role: 'user' });
  });

  test('case 33: a system message alone is answered', async () => {
    const system = { role: 'system', content: WORD };
    for (const to of ['chat', 'responses', 'messages'] as const) {
      expect((await send('chat', { messages: [system] }, to)).status).toBe(200);
    }
    expect((await send('responses', { input: [{ role: 'developer', content: WORD }] })).status).toBe(200);
  });
});

test('case 26: "regenerate" asks the model again', async () => {
  const parts = [{ type: 'text', text: `Tell me a joke ${crypto.randomUUID()} [[sim tokens=5 delay_ms=0]]` }];
  const post = async (trigger: string) => {
    const body = JSON.stringify({
      id: crypto.randomUUID(),
      trigger,
      messages: [{ id: 'm1', role: 'user', parts }],
    });
    const response = await stack.api.send('/v1/ui/chat', { method: 'POST', body });
    await response.text();
    return response.headers.get('x-unbroken-cache');
  };
  await post('submit-message');
  for (let found = await post('submit-message'); found !== 'hit'; found = await post('submit-message'));
  expect(await post('regenerate-message')).toBe('miss');
});

test('a plain-text part of a message has no null citations, which clients refuse', async () => {
  const { body } = await send('messages', { messages: [user] });
  expect(body['content']).toEqual([{ type: 'text', text: expect.any(String) }]);
});
