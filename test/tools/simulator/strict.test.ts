/** The simulated provider over HTTP: it refuses in the vendors' words, pauses, pings, and disobeys. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { CONTINUE_INSTRUCTION } from '../../../engine/providers/continue-instruction.ts';
import { trueText } from '../../../tools/simulator/true-text.ts';
import { simulatedForTests } from '../../harness/simulated-provider.ts';

const server = simulatedForTests();
afterEach(async () => {
  await server.sim.clearFaults();
  await server.sim.beStrict();
});

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}
const user = (content: string): Turn => ({ role: 'user', content });

const WIRES = {
  '/v1/responses': {
    refuses: "Unknown parameter: 'foo'.",
    body: (messages: Turn[]) => ({ model: 'm', input: messages }),
  },
  '/v1/chat/completions': {
    refuses: 'Unrecognized request argument supplied: foo',
    body: (messages: Turn[]) => ({ model: 'm', messages }),
  },
  '/v1/messages': {
    refuses: 'foo: Extra inputs are not permitted',
    body: (messages: Turn[]) => ({ model: 'm', max_tokens: 500, messages }),
  },
  '/v1beta/models/m:streamGenerateContent': {
    refuses: 'Unknown name "foo": Cannot find field.',
    body: (messages: Turn[]) => ({
      contents: messages.map(({ role, content }) => ({
        role: role === 'user' ? 'user' : 'model',
        parts: [{ text: content }],
      })),
    }),
  },
  '/v2/chat': {
    refuses: "unknown field: parameter 'foo' is not a valid field.",
    body: (messages: Turn[]) => ({ model: 'm', messages }),
  },
} as const;
type Path = keyof typeof WIRES;
const PATHS = Object.keys(WIRES) as Path[];
const HEADERS = { 'anthropic-version': '2026-10-21', 'x-api-key': 'k' };

function post(path: string, body: object | string): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(server.url + path, { method: 'POST', headers: HEADERS, body: text });
}

async function streamed(path: Path, messages: Turn[]): Promise<string> {
  const isGoogle = path.includes(':');
  const response = await post(path, { ...WIRES[path].body(messages), ...(isGoogle ? {} : { stream: true }) });
  expect(response.status).toBe(200);
  return response.text();
}

async function answerOf(messages: Turn[]): Promise<string> {
  const response = await post('/v1/chat/completions', { model: 'm', messages });
  return ((await response.json()) as { choices: { message: { content: string } }[] }).choices[0]?.message
    .content as string;
}

describe.each(PATHS)('%s', (path) => {
  test('an unknown field is refused in the words of the vendor', async () => {
    const response = await post(path, { ...WIRES[path].body([user('Hello.')]), foo: 1 });
    expect(response.status).toBe(path === '/v2/chat' ? 422 : 400);
    expect(JSON.stringify(await response.json())).toContain(JSON.stringify(WIRES[path].refuses).slice(1, -1));
  });

  test('a body that is no JSON is refused', async () => {
    const response = await post(path, '{"model": "m", ');
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/JSON/);
  });

  test('half a surrogate pair is refused', async () => {
    const response = await post(path, WIRES[path].body([user('a\ud83d')]));
    expect(response.status).toBe(400);
  });

  test('signs of life come in a silence, and the answer is whole', async () => {
    const messages = [user('Wait. [[sim tokens=4 gap_at=2 gap_ms=120 ping_ms=20 delay_ms=0]]')];
    const text = await streamed(path, messages);
    expect(
      text.match(path === '/v1/messages' ? /"type":"ping"/g : /^: keep-alive/gm)?.length ?? 0,
    ).toBeGreaterThan(0);
    const [firstWord = ''] = trueText({ messages }).split(' ');
    expect(text).toContain(firstWord);
  });
});

test('a lenient simulator accepts what matches, and no other call', async () => {
  await server.sim.lenient('values of types');
  const body = (text: string) => ({ ...WIRES['/v1/responses'].body([user(text)]), foo: 1 });
  expect((await post('/v1/responses', body('values of types'))).status).toBe(200);
  expect((await post('/v1/responses', body('another'))).status).toBe(400);
});

describe('a continuation', () => {
  const first = user('Tell me. [[sim tokens=30 delay_ms=0]]');
  const whole = trueText({ messages: [first] });
  const half = whole.slice(0, Math.floor(whole.length / 2));
  const instructed = (question: Turn) => [
    question,
    { role: 'assistant' as const, content: half },
    user(CONTINUE_INSTRUCTION),
  ];

  test('is the rest of the answer', async () => {
    expect(half + (await answerOf(instructed(first)))).toBe(whole);
  });

  test.each([
    ['ignore-continuation', (rest: string) => rest === whole],
    ['repeat-tail', (rest: string) => half.endsWith(rest.slice(0, 40)) && half + rest.slice(40) === whole],
    [
      'paraphrase-continuation',
      (rest: string) => rest !== whole && !whole.startsWith(rest) && rest.length > 40,
    ],
  ] as const)('%s: the model disobeys by fault', async (kind, isRight) => {
    await server.sim.fault({ kind });
    const rest = await answerOf(instructed(first));
    expect([rest, isRight(rest)]).toEqual([rest, true]);
  });

  test.each([
    ['restart', 0],
    ['repeat', 40],
  ] as const)('the model disobeys by directive: %s', async (how, repeated) => {
    const question = user(`Tell me. [[sim tokens=30 delay_ms=0]] [[sim continue=${how}]]`);
    const own = trueText({ messages: [question] });
    const begun = own.slice(0, Math.floor(own.length / 2));
    const rest = await answerOf([
      question,
      { role: 'assistant', content: begun },
      user(CONTINUE_INSTRUCTION),
    ]);
    expect(rest).toBe(how === 'restart' ? own : begun.slice(-repeated) + own.slice(begun.length));
  });
});

test('all directives of the last user turn count, and none of an earlier one', () => {
  const words = (messages: Turn[]) => trueText({ messages }).split(/\s+/).length;
  const late = [user('One. [[sim tokens=80]]'), { role: 'assistant' as const, content: 'x' }];
  expect(words([...late, user('Two. [[sim delay_ms=0]] And [[sim tokens=9]] words.')])).toBeLessThan(12);
  expect(words([...late, user('Two.')])).toBeGreaterThan(40);
});
