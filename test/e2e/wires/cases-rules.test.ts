/** What vendors refuse beyond their formats: a request is made valid, or refused by name before a call. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULTS } from '../../../contracts/limits.ts';
import { type Stack, startStack } from '../../harness/stack.ts';

const CLAUDE_MOST = 40_000;
let stack: Stack;
let limited: string;
beforeAll(async () => {
  stack = await startStack({
    config: {
      models: { 'simulated-messages/claude-sonnet-4-5': { maxOutputTokens: CLAUDE_MOST } },
      budgets: { limits: [{ per: 'user', id: 'limited', window: 'day', unit: 'tokens', amount: 1_000_000 }] },
    },
  });
  limited = await stack.addKey({ tenant: 'dev', user: 'limited', scopes: ['generate'] });
});
afterAll(() => stack.stop());

const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses', messages: '/v1/messages' } as const;
const WORD = 'Say a word. [[sim tokens=1 delay_ms=0]]';
const user = { role: 'user', content: WORD };

let sent = 0;

/** @param model with its provider; without one, a simulated name that no catalogue knows. */
async function send(format: keyof typeof PATHS, model: string, body: object, key = stack.api.key) {
  sent += 1;
  const mark = `rules-case-${sent}`;
  const [provider = '', name = `${mark}-`] = model.split('/');
  // The simulated provider finds a request by this.
  const marked = JSON.stringify({ ...body, model: `${provider}/${name}` }).replace(WORD, `${WORD} ${mark}-`);
  const response = await fetch(`${stack.api.url}${PATHS[format]}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
    },
    body: marked,
  });
  const [received] = await stack.sim.received(`${mark}-`);
  return {
    status: response.status,
    dropped: response.headers.get('x-unbroken-dropped') ?? '',
    body: (await response.json()) as Record<string, unknown>,
    text: marked,
    path: received?.path ?? null,
    upstream: { ...received?.body } as Record<string, unknown>,
  };
}

describe('case 9: without a cap', () => {
  const long = { role: 'user', content: `Long [[sim tokens=6000 delay_ms=0]] ${WORD.replace(/\[.*/, '')}` };

  test('an answer of chat completions is as long as the model makes it', async () => {
    const { body } = await send('chat', 'simulated', { messages: [long] });
    expect(body).toMatchObject({ usage: { completion_tokens: 6_000 }, choices: [{ finish_reason: 'stop' }] });
  });

  test('so is one of Responses, whose echo has no cap', async () => {
    const { body } = await send('responses', 'simulated', { input: [long] });
    expect(body).toMatchObject({ status: 'completed', max_output_tokens: null });
    expect(body['usage']).toMatchObject({ output_tokens: 6_000 });
  });

  test('the field is left out, except where the vendor needs it: then it is the most of the model', async () => {
    const messages = [user];
    expect((await send('chat', 'simulated-chat', { messages })).upstream).not.toHaveProperty('max_tokens');
    const responses = await send('chat', 'simulated', { messages });
    expect(responses.upstream).toHaveProperty('input');
    expect(responses.upstream).not.toHaveProperty('max_output_tokens');
    const claude = await send('chat', 'simulated-messages/claude-sonnet-4-5', { messages });
    expect(claude.upstream['max_tokens']).toBe(CLAUDE_MOST);
    const unknown = await send('chat', 'simulated-messages', { messages });
    expect(unknown.upstream['max_tokens']).toBe(DEFAULTS.maxOutputTokens);
  });

  test('a budget has one: what was reserved', async () => {
    const { upstream } = await send('chat', 'simulated', { messages: [user] }, limited);
    expect(upstream['max_output_tokens']).toBe(DEFAULTS.maxOutputTokens);
  });
});

describe('case 18 and its kind: ids and names', () => {
  test('a tool with a name that the vendor refuses is called by another one, and the client sees its own', async () => {
    const name = 'fs.read';
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
    const tools = [{ name, input_schema: { type: 'object', properties: {} } }];
    const question = { role: 'user', content: `${WORD} [[sim tool=fs_read_${hash} delay_ms=0]]` };
    const { body, upstream } = await send('messages', 'simulated-messages', {
      max_tokens: 500,
      messages: [question],
      tools,
    });
    expect(upstream['tools']).toMatchObject([{ name: `fs_read_${hash}` }]);
    expect(body['content']).toMatchObject([{ type: 'tool_use', name }]);
  });
});

describe('what the vendor would refuse', () => {
  const result = { role: 'tool', tool_call_id: 'c1', content: 'found' };
  const block = { type: 'tool_result', tool_use_id: 'c1', content: 'found' };
  const open = {
    type: 'object',
    properties: { a: { type: 'object' } },
    required: ['a'],
    additionalProperties: false,
  };
  const strict = { type: 'json_schema', json_schema: { name: 'p', strict: true, schema: open } };
  test.each<[keyof typeof PATHS, string, object, string]>([
    ['chat', 'simulated', { messages: [user, result, user] }, 'messages'],
    ['chat', 'simulated-chat', { messages: [user], response_format: strict }, 'schema.properties.a'],
    [
      'responses',
      'simulated',
      { input: [user, { type: 'function_call_output', call_id: 'c1', output: '' }] },
      'input',
    ],
    ['messages', 'simulated-messages', { messages: [user, { role: 'user', content: [block] }] }, 'messages'],
    [
      'messages',
      'simulated-messages',
      { messages: [user], thinking: { type: 'enabled', budget_tokens: 500 } },
      'thinking.budget_tokens',
    ],
    ['messages', 'simulated-messages', { messages: [user], temperature: 1.5 }, 'temperature'],
  ])('%s at %s is refused before a call, by its name: %j', async (format, provider, body, field) => {
    const cap = format === 'messages' ? { max_tokens: 2_000 } : {};
    const { status, body: answer, path } = await send(format, provider, { ...cap, ...body });
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).toContain(field);
    expect(path).toBe(null);
  });

  test('what gives way is named in a header', async () => {
    const both = { messages: [user], temperature: 0.5, top_p: 0.9 };
    const { status, dropped, upstream } = await send('chat', 'simulated-messages/claude-sonnet-4-5', both);
    expect([status, dropped]).toEqual([200, expect.stringContaining('top_p')]);
    expect(upstream).toMatchObject({ temperature: 0.5 });
    expect(upstream).not.toHaveProperty('top_p');
  });

  test('an image whose bytes are of another type is sent as what it is', async () => {
    const data = Buffer.from('\x89PNG\r\n\x1a\n0000', 'latin1').toString('base64');
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data } };
    const messages = [{ role: 'user', content: [image, { type: 'text', text: WORD }] }];
    const { upstream } = await send('messages', 'simulated-messages', { max_tokens: 500, messages });
    expect(JSON.stringify(upstream)).toContain('image/png');
  });

  test('what Responses lacks goes to the chat completions of the same server', async () => {
    const { status, path, upstream } = await send('chat', 'simulated', { messages: [user], seed: 7 });
    expect(status).toBe(200);
    expect(path).toBe('/v1/chat/completions');
    expect(upstream['seed']).toBe(7);
  });
});

describe('case 31: no limit of ours is tighter than the vendor', () => {
  const cap = { max_tokens: 50 };

  test('1,201 messages, and a turn of 300 blocks', async () => {
    const short = Array.from({ length: 600 }, (_, index) => [
      { role: 'user', content: `Question ${index}` },
      { role: 'assistant', content: `Answer ${index}` },
    ]).flat();
    const blocks = Array.from({ length: 300 }, (_, index) => ({ type: 'text', text: `Block ${index}` }));
    for (const messages of [
      [...short, user],
      [{ role: 'user', content: [...blocks, { type: 'text', text: WORD }] }],
    ]) {
      expect((await send('messages', 'simulated-messages', { ...cap, messages })).status).toBe(200);
    }
  });

  test('four images of 2.5 MB', async () => {
    const data = Buffer.concat([
      Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
      Buffer.alloc(2_500_000),
    ]).toString('base64');
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
    const messages = [{ role: 'user', content: [image, image, image, image, { type: 'text', text: WORD }] }];
    expect((await send('messages', 'simulated-messages', { ...cap, messages })).status).toBe(200);
  });

  test.each([
    [
      'messages',
      `"max_tokens":9,"messages":[{"role":"user","content":[${'{},'.repeat(100_001)}{}]}]`,
      400,
      'http.jsonValues',
    ],
    [
      'messages',
      `"max_tokens":9,"messages":[{"role":"user","content":"${'x'.repeat(33_554_432)}"}]`,
      413,
      'http.bodyBytes',
    ],
  ] as const)(
    'what is over a limit of ours names the setting: %#',
    async (format, fields, status, setting) => {
      const body = `{"model":"simulated/m",${fields}}`;
      const response = await stack.api.send(PATHS[format], { method: 'POST', body });
      expect(response.status).toBe(status);
      expect(await response.text()).toContain(setting);
    },
  );
});
