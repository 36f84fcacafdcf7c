/** What users of other gateways have reported about errors and silence, asked of this one: each case by its number. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ScriptedUpstream, startScriptedUpstream, type Turn } from '../../harness/scripted-upstream.ts';
import { type Stack, startStack } from '../../harness/stack.ts';

let upstream: ScriptedUpstream;
let stack: Stack;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  const { url } = upstream;
  const chat = { wire: 'openai-chat', baseUrl: `${url}/v1` };
  stack = await startStack({
    config: {
      providers: {
        'stub-chat': chat,
        'stub-other': chat,
        'stub-msg': { wire: 'anthropic-messages', baseUrl: url },
        'stub-resp': { wire: 'openai-responses', baseUrl: `${url}/v1` },
        'stub-google': { wire: 'google', baseUrl: url },
        'stub-hasty': { ...chat, firstTokenMs: 1_500, betweenTokensMs: 1_500 },
        'stub-patient': { ...chat, firstTokenMs: 60_000 },
        ollama: chat,
      },
      routes: {
        two: { candidates: ['stub-chat/busy-a', 'stub-other/busy-b'], cachedAnswer: false },
        larger: { candidates: ['stub-chat/small'], onContextLength: ['stub-other/large'] },
      },
      models: { 'stub-chat/small': { contextWindow: 8_000 }, 'stub-other/large': { contextWindow: 900_000 } },
      limits: { firstTokenMs: 3_000, betweenTokensMs: 3_000 },
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  await upstream.stop();
});

const PATHS = {
  chat: '/v1/chat/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  ui: '/v1/ui/chat',
  native: '/v1/generations',
} as const;
type Format = keyof typeof PATHS;
const FORMATS = Object.keys(PATHS) as Format[];

let requests = 0;

/** A request to a model of the stub, as each format writes it; `route` instead of a model if there is no slash. */
function bodyOf(format: Format, model: string, { stream = true, text = 'hi' } = {}): object {
  requests += 1;
  const user = { role: 'user', content: `${text} ${requests}` };
  const isRoute = !model.includes('/');
  const named = isRoute ? `unbroken/${model}` : model;
  if (format === 'native') {
    const target = isRoute ? { route: model } : { model };
    return { input: user.content, stream, cache: 'off', ...target };
  }
  if (format === 'responses') return { model: named, input: [user], stream };
  if (format === 'ui') {
    const parts = [{ type: 'text', text: user.content }];
    return { id: `chat-${requests}`, model: named, messages: [{ id: 'm1', role: 'user', parts }] };
  }
  return { model: named, messages: [user], stream, ...(format === 'messages' ? { max_tokens: 100 } : {}) };
}

async function ask(
  format: Format,
  model: string,
  options: { stream?: boolean; text?: string; key?: string } = {},
) {
  const response = await fetch(`${stack.api.url}${PATHS[format]}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${options.key ?? stack.api.key}`,
      'content-type': 'application/json',
      'x-unbroken-cache': 'off',
    },
    body: JSON.stringify(bodyOf(format, model, options)),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const limited = (message: string, headers = {}): Turn => ({
  status: 429,
  headers,
  json: { error: { message, type: 'throttling_exception' } },
});

describe('case 4', () => {
  test.each(['chat', 'messages'] as const)(
    'a throttle whose words mention tokens is waited for: %s',
    async (format) => {
      const provider = format === 'chat' ? 'stub-chat' : 'stub-msg';
      const words = 'Too many tokens, please wait before trying again.';
      upstream.play(`case-4-${format}`, [limited(words, { 'retry-after': '1' }), { text: ['Good.'] }]);
      const startedAtMs = Date.now();
      const { status, text } = await ask(format, `${provider}/case-4-${format}`);
      expect(status).toBe(200);
      expect(text).toContain('Good.');
      expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(1_000);
      expect(upstream.calls(`case-4-${format}`)).toBe(2);
    },
  );

  test('a route does not send its models for long inputs', async () => {
    upstream.play('small', [
      limited('Too many tokens, please wait before trying again.', { 'retry-after': '1' }),
    ]);
    upstream.play('small', [{ text: ['Good.'] }]);
    const { text } = await ask('chat', 'larger');
    expect(text).toContain('Good.');
    expect(upstream.calls('large')).toBe(0);
  });
});

describe('useChat that sends its messages again', () => {
  const chat = (model: string) => ({ ...bodyOf('ui', `stub-chat/${model}`), id: model });
  const post = (body: object) => stack.api.send(PATHS.ui, { method: 'POST', body: JSON.stringify(body) });

  test('after a failure gets another answer, which is shared by those that send them at one time', async () => {
    const refusal = { error: { message: 'Not now.' } };
    upstream.play('again', [
      { status: 400, json: refusal },
      { text: ['Good.'], firstMs: 300 },
    ]);
    const body = chat('again');
    expect((await post(body)).status).toBe(400);
    const answers = await Promise.all([post(body), post(body)]);
    for (const answer of answers) expect(await answer.text()).toContain('Good.');
    expect(await (await post(body)).text()).toContain('Good.');
    expect(upstream.calls('again')).toBe(2);
  });

  test('after it was stopped gets another answer', async () => {
    upstream.play('stopped', [{ text: ['One', ' two'], gapMs: 60_000 }, { text: ['Good.'] }]);
    const body = chat('stopped');
    const first = await post(body);
    await stack.api.send(`${PATHS.ui}/stopped/stream`, { method: 'DELETE' });
    expect(await first.text()).toContain('"abort"');
    expect(await (await post(body)).text()).toContain('Good.');
  });
});

describe('case 10', () => {
  test.each([
    ['stub-chat', 'chat'],
    ['stub-msg', 'messages'],
    ['stub-resp', 'responses'],
    ['stub-google', 'chat'],
  ] as const)('a 403 for the content of one request keeps the key: %s', async (provider, format) => {
    const refusal = { code: 'permission-denied', error: 'Content violates usage guidelines.' };
    upstream.play(`case-10-${provider}`, [{ status: 403, json: refusal }, { text: ['Hello.'] }]);
    const other = await stack.addKey({ tenant: `tenant-${provider}`, user: 'bob', scopes: ['generate'] });
    const first = await ask(format, `${provider}/case-10-${provider}`, { stream: false });
    expect(first.status).toBe(400);
    expect(first.text).toContain('Content violates usage guidelines.');
    const second = await ask(format, `${provider}/case-10-${provider}`, { stream: false, key: other });
    expect(second.status).toBe(200);
    expect(second.text).toContain('Hello.');
  });
});

describe('case 15', () => {
  test('pings keep a silent model alive: one attempt, one bill', async () => {
    upstream.play('case-15', [{ text: ['Let me write that.', ' Done.'], gapMs: 6_000, pingMs: 500 }]);
    const { status, text } = await ask('messages', 'stub-msg/case-15');
    expect(status).toBe(200);
    expect(text.match(/Let me write that\./g)).toHaveLength(1);
    expect(text).toContain('Done.');
    expect(upstream.calls('case-15')).toBe(1);
  });

  test('comments do the same in a chat completion', async () => {
    upstream.play('case-15-chat', [{ text: ['One', ' two'], gapMs: 4_000, pingMs: 400 }]);
    const { text } = await ask('chat', 'stub-hasty/case-15-chat');
    expect(text).toContain(' two');
    expect(upstream.calls('case-15-chat')).toBe(1);
  });

  test('a model that thinks may be silent between contents', async () => {
    upstream.play('case-15-thinks', [{ text: ['One', ' two'], gapMs: 4_000 }]);
    const body = { ...bodyOf('chat', 'stub-hasty/case-15-thinks'), reasoning_effort: 'low' };
    const response = await stack.api.send(PATHS.chat, { method: 'POST', body: JSON.stringify(body) });
    expect(await response.text()).toContain(' two');
    expect(upstream.calls('case-15-thinks')).toBe(1);
  });
});

describe('case 16', () => {
  const errors: readonly [string, Turn, number][] = [
    ['400', { status: 400, json: { error: { message: 'No such parameter.' } } }, 400],
    ['429', limited('Slow down.', { 'retry-after': '60' }), 429],
    ['503', { status: 503, json: { error: { message: 'Overloaded.' } } }, 502],
  ];
  test.each(
    FORMATS.flatMap((format) => errors.map(([name, turn, status]) => [name, format, turn, status] as const)),
  )(
    'an upstream %s before the first word is the status of a stream: %s',
    async (name, format, turn, expected) => {
      const model = `case-16-${name}-${format}`;
      upstream.play(model, [turn, turn, turn]);
      const { status, headers, text } = await ask(format, `stub-chat/${model}`);
      expect(status).toBe(expected);
      expect(headers.get('content-type')).toContain('application/json');
      const body = JSON.parse(text) as { error: { message: string; code: string } };
      expect(body.error.message).toMatch(/^\d{3}: [A-Z]/);
      if (expected !== 429) return;
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
    },
  );

  test('S4: the wait of a single candidate reaches the caller at once, whole and streamed', async () => {
    upstream.play('s4', [limited('Slow down.', { 'retry-after': '90' })]);
    for (const stream of [false, true]) {
      const { status, headers } = await ask('chat', 'stub-chat/s4', { stream });
      expect(status).toBe(429);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(60);
    }
  });

  test('the last candidate’s wait is that of all_candidates_failed, whole and streamed', async () => {
    upstream.play('busy-a', [limited('Slow down.', { 'retry-after': '400' })]);
    upstream.play('busy-b', [limited('Slow down.', { 'retry-after': '200' })]);
    for (const stream of [false, true]) {
      const { status, headers, text } = await ask('messages', 'two', { stream });
      expect(status).toBe(502);
      expect(text).toContain('all_candidates_failed');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(150);
      expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(200);
    }
  });
});

describe('case 30', () => {
  test('a local server that loads its model first gets there', async () => {
    upstream.play('case-30', [{ text: ['Loaded.'], firstMs: 5_000 }]);
    const { status, text } = await ask('chat', 'ollama/case-30');
    expect(status).toBe(200);
    expect(text).toContain('Loaded.');
    expect(upstream.calls('case-30')).toBe(1);
  });

  test('each provider has its own limit', async () => {
    upstream.play('case-30-own', [{ text: ['Late.'], firstMs: 5_000 }]);
    const patient = await ask('chat', 'stub-patient/case-30-own', { stream: false });
    expect(patient.status).toBe(200);
    upstream.play('case-30-hasty', [{ text: ['Late.'], firstMs: 5_000 }]);
    const hasty = await ask('chat', 'stub-hasty/case-30-hasty', { stream: false });
    expect(hasty.status).toBe(504);
    expect(hasty.text).toContain('provider_first_token_timeout');
  });
});

test.each([[true], [false]])(
  'case 34: parallel calls that all have index 0, or none, keep their own arguments (index sent: %s)',
  async (hasIndex) => {
    const part = (fields: object) => ({ ...(hasIndex ? { index: 0 } : {}), ...fields });
    const model = `case-34-${hasIndex}`;
    upstream.play(model, [
      {
        toolCalls: [
          part({ id: 'a', function: { name: 'f', arguments: '' } }),
          part({ function: { arguments: '{"x":1}' } }),
          part({ id: 'b', function: { name: 'g', arguments: '' } }),
          part({ function: { arguments: '{"y":2}' } }),
        ],
      },
    ]);
    const tools = ['f', 'g'].map((name) => ({
      type: 'function',
      function: { name, parameters: { type: 'object' } },
    }));
    const body = { ...bodyOf('chat', `stub-chat/${model}`, { stream: false }), tools };
    const response = await stack.api.send(PATHS.chat, { method: 'POST', body: JSON.stringify(body) });
    const { choices } = (await response.json()) as {
      choices: { message: { tool_calls: { function: { name: string; arguments: string } }[] } }[];
    };
    expect(
      choices[0]?.message.tool_calls.map((call) => [call.function.name, call.function.arguments]),
    ).toEqual([
      ['f', '{"x":1}'],
      ['g', '{"y":2}'],
    ]);
  },
);

describe('case 38', () => {
  const PROVIDERS = ['stub-chat', 'stub-msg', 'stub-resp', 'stub-google'] as const;
  const bodies: readonly [string, object, number, string][] = [
    [
      '429 as a number',
      { error: { code: 429, message: 'daily free limit reached' } },
      429,
      'daily free limit',
    ],
    [
      '429 as a text',
      { error: { code: '429', message: 'daily free limit reached' } },
      429,
      'daily free limit',
    ],
    [
      '400',
      { error: { code: 400, message: 'The parameter is not known.' } },
      400,
      'The parameter is not known',
    ],
    ['no code', { error: 'model not loaded' }, 400, 'model not loaded'],
  ];
  test.each(
    PROVIDERS.flatMap((provider) =>
      ['application/json', 'text/event-stream'].flatMap((type) =>
        bodies.map(([name, json, status, words]) => [name, provider, type, { json, status, words }] as const),
      ),
    ),
  )(
    'a 200 with a JSON error (%s) is that error: %s, %s',
    async (name, provider, type, { json, status: expected, words }) => {
      const model = `case-38-${name.replaceAll(' ', '-')}-${type.replace('/', '-')}`;
      upstream.play(model, [{ headers: { 'content-type': type, 'retry-after': '45' }, json }]);
      const before = upstream.calls(model);
      const { status, text } = await ask('chat', `${provider}/${model}`, { stream: false });
      expect(status).toBe(expected);
      expect(text).toContain(words);
      expect(upstream.calls(model) - before).toBe(1);
    },
  );
});
