/**
 * The thoughts of a model return to it: asked of every wire, from every format, through a turn with a tool. The
 * simulated provider issues signatures and refuses any other, and a turn without them, as the vendors do.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from '../../harness/stack.ts';

type Json = Record<string, unknown>;
type Format = 'chat' | 'messages' | 'responses';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    config: (url: string) => ({
      providers: {
        claude: { wire: 'anthropic-messages', baseUrl: url, apiKeyEnv: 'KEY_A' },
        'claude-too': { wire: 'anthropic-messages', baseUrl: url, apiKeyEnv: 'KEY_B' },
        gpt: { wire: 'openai-responses', baseUrl: `${url}/v1`, apiKeyEnv: 'KEY_A' },
        gemini: { wire: 'google', baseUrl: url, apiKeyEnv: 'KEY_A' },
        deep: {
          wire: 'openai-chat',
          baseUrl: `${url}/v1`,
          apiKeyEnv: 'KEY_A',
          quirks: { reasoningContent: 'tool-turns' },
        },
      },
      routes: { default: ['simulated/sim-large'] },
    }),
    env: { KEY_A: 'sk-account-a', KEY_B: 'sk-account-b' },
  });
});
afterAll(() => stack?.stop());

const MODELS = {
  anthropic: 'claude/claude-sonnet-4-5',
  openai: 'gpt/o3',
  google: 'gemini/gemini-3-pro-preview',
  deepseek: 'deep/deepseek-reasoner',
} as const;
type Vendor = keyof typeof MODELS;

const PATHS: Readonly<Record<Format, string>> = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
};
const SCHEMA = { type: 'object', properties: {} };
let count = 0;

/** A question whose answer thinks and calls a tool, and the mark by which its calls are found. */
function newQuestion(): { readonly mark: string; readonly text: string } {
  count += 1;
  const mark = `question-${count}-`;
  return { mark, text: `${mark} Look. [[sim reasoning=8 tool=lookup tokens=4 delay_ms=0]]` };
}

/** The settings of a request of this format. */
function settings(format: Format, model: string): Json {
  const tool = { name: 'lookup', description: 'Looks up.' };
  if (format === 'chat') {
    const tools = [{ type: 'function', function: { ...tool, parameters: SCHEMA } }];
    return { model, tools, reasoning_effort: 'high', max_completion_tokens: 20_000 };
  }
  if (format === 'messages') {
    const thinking = { type: 'enabled', budget_tokens: 2_000 };
    return { model, tools: [{ ...tool, input_schema: SCHEMA }], thinking, max_tokens: 20_000 };
  }
  const tools = [{ type: 'function', ...tool, parameters: SCHEMA, strict: false }];
  return { model, tools, reasoning: { effort: 'high' }, max_output_tokens: 20_000 };
}

async function post(format: Format, body: Json, key?: string) {
  const response = await fetch(`${stack.api.url}${PATHS[format]}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key ?? stack.api.key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

/** The turns of a conversation up to the tool's result. `reads`: what the client keeps of the answer. */
function withResult(format: Format, text: string, answer: Json, reads: (turn: Json) => Json): Json {
  const user = { role: 'user', content: text };
  if (format === 'chat') {
    const message = reads((answer['choices'] as { message: Json }[])[0]?.message ?? {});
    const results = (message['tool_calls'] as Json[]).map(({ id }) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'found',
    }));
    return { messages: [user, message, ...results] };
  }
  if (format === 'messages') {
    const content = (answer['content'] as Json[]).map(reads);
    const results = content
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'found' }));
    return {
      messages: [user, { role: 'assistant', content }, { role: 'user', content: results }],
    };
  }
  const output = (answer['output'] as Json[]).map(reads);
  const results = output
    .filter(({ type }) => type === 'function_call')
    .map(({ call_id }) => ({ type: 'function_call_output', call_id, output: 'found' }));
  return { input: [user, ...output, ...results] };
}

/** Both turns. @returns the second answer, and what the vendor received for it. */
async function twoTurns(
  format: Format,
  model: string,
  { reads = (turn: Json) => turn, then = model, include = true, key = undefined as string | undefined } = {},
) {
  const { mark, text } = newQuestion();
  const first = { ...settings(format, model), ...(include && format === 'responses' ? INCLUDE : {}) };
  const input = format === 'responses' ? { input: text } : { messages: [{ role: 'user', content: text }] };
  const answered = await post(format, { ...first, ...input });
  expect(answered.status).toBe(200);
  const next = { ...settings(format, then), ...withResult(format, text, answered.body, reads) };
  const second = await post(format, next, key);
  const received = await stack.sim.received(mark);
  return { second, upstream: { ...received.at(-1)?.body } as Json };
}

const INCLUDE = { include: ['reasoning.encrypted_content'] };

/** What the request to each vendor must have. */
function expectThoughts(vendor: Vendor, upstream: Json): void {
  const text = JSON.stringify(upstream);
  if (vendor === 'anthropic') {
    expect(upstream).toMatchObject({ thinking: { type: 'enabled' } });
    expect(text).toMatch(/"type":"thinking","thinking":"[^"]+","signature":"[^"]+"/);
  } else if (vendor === 'openai') expect(text).toMatch(/"type":"reasoning".*"encrypted_content":"[^"]+"/);
  else if (vendor === 'google') {
    expect(text).toMatch(/"thoughtSignature":"[^"]+"/);
    expect(text).not.toContain('skip_thought');
  } else expect(text).toMatch(/"reasoning_content":"[^"]+"/);
  expect(text).not.toContain('ubr1_');
}

const VENDORS = Object.keys(MODELS) as Vendor[];
const FORMATS = Object.keys(PATHS) as Format[];
const BOTH = VENDORS.flatMap((vendor) => FORMATS.map((format) => [vendor, format] as const));

test.each(BOTH)('thinking stays on across a tool turn: %s, by a client of %s', async (vendor, format) => {
  const { second, upstream } = await twoTurns(format, MODELS[vendor]);
  expect(second).toMatchObject({ status: 200 });
  expectThoughts(vendor, upstream);
});

test.each(VENDORS)('and by clients whose format has no place for thoughts: %s, case 23', async (vendor) => {
  const plain = ({ role, content, tool_calls: calls }: Json) => ({
    role,
    content,
    tool_calls: (calls as Json[]).map(({ id, type, function: called }) => ({ id, type, function: called })),
  });
  const { second, upstream } = await twoTurns('chat', MODELS[vendor], { reads: plain });
  expect(second).toMatchObject({ status: 200 });
  expectThoughts(vendor, upstream);
});

test.each(VENDORS)('and by previous_response_id, without include: %s', async (vendor) => {
  const { mark, text } = newQuestion();
  const own = settings('responses', MODELS[vendor]);
  const first = await post('responses', { ...own, input: text });
  expect(JSON.stringify(first.body['output'])).not.toContain('encrypted_content');
  const call = (first.body['output'] as Json[]).find(({ type }) => type === 'function_call');
  const input = [{ type: 'function_call_output', call_id: call?.['call_id'], output: 'found' }];
  const second = await post('responses', { ...own, previous_response_id: first.body['id'], input });
  expect(second).toMatchObject({ status: 200 });
  expectThoughts(vendor, { ...(await stack.sim.received(mark)).at(-1)?.body });
});

describe('thoughts stay where they belong', () => {
  test.each([
    ['another vendor', 'gpt/o3'],
    ['another account of the same vendor', 'claude-too/claude-sonnet-4-5'],
  ])('not to %s, and the response says so', async (_who, then) => {
    const { second, upstream } = await twoTurns('messages', MODELS.anthropic, { then });
    expect(second.status).toBe(200);
    expect(second.headers.get('x-unbroken-dropped')).toContain('reasoning');
    expect(JSON.stringify(upstream)).not.toMatch(/"type":"(thinking|reasoning)"|ubr1_/);
  });

  test('not if they were changed', async () => {
    const changed = (block: Json): Json => {
      const { signature } = block;
      if (typeof signature !== 'string') return block;
      const at = Math.floor(signature.length / 2);
      const other = signature[at] === 'A' ? 'B' : 'A';
      return { ...block, signature: signature.slice(0, at) + other + signature.slice(at + 1) };
    };
    const { second, upstream } = await twoTurns('messages', MODELS.anthropic, { reads: changed });
    expect(second.status).toBe(200);
    expect(second.headers.get('x-unbroken-dropped')).toContain('reasoning');
    expect(JSON.stringify(upstream)).not.toContain('"thinking":"');
  });

  test('not from another tenant', async () => {
    const key = await stack.addKey({ tenant: 'rival', user: 'eve' });
    const { second, upstream } = await twoTurns('messages', MODELS.anthropic, { key });
    expect(second.status).toBe(200);
    expect(second.headers.get('x-unbroken-dropped')).toContain('reasoning');
    expect(JSON.stringify(upstream)).not.toContain('"thinking":"');
  });

  test('nor by the id of a tool call of another tenant', async () => {
    const key = await stack.addKey({ tenant: 'rival', user: 'eve' });
    const plain = ({ role, content, tool_calls }: Json) => ({ role, content, tool_calls });
    const { upstream } = await twoTurns('chat', MODELS.deepseek, { reads: plain, key });
    expect(JSON.stringify(upstream)).toContain('"reasoning_content":""');
  });
});
