import { expect, test } from '@jest/globals';
import { TogetherCheck } from './check-together.ts';
import { reachableObjects } from './examples.ts';
import { FORMATS } from './formats.ts';
import type { RequestSender, Sent } from './send-request.ts';

const [format] = FORMATS;
if (format === undefined) throw new Error('no format');
const { root } = format;
const name = (field: string) => `${root.name}.${field}`;

type Body = Readonly<Record<string, unknown>>;

const answer: Sent = { status: 200, dropped: '', message: '', calls: 1, upstream: null };

/** A product that passes on what it receives. */
const passesOn = (body: Body): Sent => ({ ...answer, upstream: body });

function without(body: Body, field: string): Body {
  return Object.fromEntries(Object.entries(body).filter(([own]) => own !== field));
}

/** Which of these fields of the request are confirmed, where the table expects these outcomes. */
async function confirmed(send: (body: Body) => Sent, expected: Readonly<Record<string, string>>) {
  const sent: Body[] = [];
  const sender: Pick<RequestSender, 'send'> = {
    send: async (body) => {
      sent.push(body);
      return send(body);
    },
  };
  const rows = Object.entries(expected).map(([field, outcome]) => [name(field), outcome] as const);
  const check = new TogetherCheck(format as (typeof FORMATS)[number], 'openai-chat', sender);
  const found = await check.confirmed([{ object: root, steps: [] }], new Map(rows));
  return { sent, found: Object.keys(expected).filter((field) => found.has(name(field))) };
}

const PASSED_ON = { temperature: 'passed on', seed: 'passed on', user: 'passed on', stop: 'passed on' };

test('fields that arrive are confirmed by one request with them and one without', async () => {
  const { sent, found } = await confirmed(passesOn, PASSED_ON);
  expect(found).toEqual(Object.keys(PASSED_ON));
  // The least request is here the one without them.
  expect(new Set(sent.map((body) => JSON.stringify(body))).size).toBe(2);
});

test.each([
  ['is lost', (body: Body) => without(body, 'seed')],
  ['arrives under another name', (body: Body) => ({ ...without(body, 'seed'), sowing: body['seed'] })],
  ['arrives in another value', (body: Body) => ({ ...body, ...('seed' in body ? { seed: 1 } : {}) })],
  ['stays although it was not sent', (body: Body) => ({ ...body, seed: 4_321 })],
])('a field that %s is not confirmed, and the others are', async (_what, change) => {
  const { found } = await confirmed((body) => passesOn(change(body)), PASSED_ON);
  expect(found).toEqual(['temperature', 'user', 'stop']);
});

test('one that overwrites the other is not confirmed, nor is the other', async () => {
  const expected = { ...PASSED_ON, max_tokens: 'passed on', max_completion_tokens: 'translated: max_tokens' };
  const { found } = await confirmed((body) => {
    const { max_tokens, max_completion_tokens, ...others } = body;
    const limit = max_completion_tokens ?? max_tokens;
    return passesOn({ ...others, ...(limit === undefined ? {} : { max_tokens: limit }) });
  }, expected);
  expect(found).toEqual(Object.keys(PASSED_ON));
});

test('a field that the product says it dropped is confirmed as that alone, and only by its own name', async () => {
  const expected = { ...PASSED_ON, user: 'dropped', prediction: 'dropped' };
  const drops = (header: string) => (body: Body) => ({
    ...passesOn(without(without(body, 'user'), 'prediction')),
    dropped: 'user' in body ? header : '',
  });
  const foundWith = async (header: string) => (await confirmed(drops(header), expected)).found;
  expect(await foundWith('user,prediction')).toEqual(['temperature', 'seed', 'user', 'stop', 'prediction']);
  expect(await foundWith('user')).toEqual(['temperature', 'seed', 'user', 'stop']);
  expect(await foundWith('user_prediction')).toEqual(['temperature', 'seed', 'stop']);
  // It names one that arrived.
  expect(await foundWith('user,prediction,seed')).toEqual(['temperature', 'user', 'stop', 'prediction']);
});

test('fields that change nothing are confirmed only where nothing has changed', async () => {
  const fields = ['metadata', 'store', 'stream', 'stream_options'];
  const expected = Object.fromEntries(fields.map((field) => [field, 'ignored: why']));
  const leaves = (left: readonly string[]) => (body: Body) => passesOn(left.reduce(without, body));
  expect((await confirmed(leaves(fields), expected)).found).toEqual(fields);
  // The half that has the other one is asked for again, each alone.
  expect((await confirmed(leaves(fields.slice(1)), expected)).found).toEqual(['stream', 'stream_options']);
});

test('a request that is refused is split, and one field alone is never confirmed', async () => {
  const refuses = (body: Body) => ('seed' in body ? { ...answer, status: 400 } : passesOn(body));
  const { found } = await confirmed(refuses, PASSED_ON);
  expect(found).toEqual(['temperature', 'user']);
});

test('what the table calls rejected, or does not know, is not asked for', async () => {
  const { sent, found } = await confirmed(passesOn, { seed: 'rejected', user: 'LOST', stop: 'rejected' });
  expect(found).toEqual([]);
  expect(sent).toEqual([]);
});

test('a required value counts where it came with its object, and not where it stood before', async () => {
  const reached = reachableObjects(root).find(
    ({ object }) => object.name === 'ChatCompletionUserMessageParam',
  );
  if (reached === undefined) throw new Error('no messages of users');
  const rows = new Map([
    ['ChatCompletionUserMessageParam.role', 'passed on'],
    ['ChatCompletionUserMessageParam.content', 'passed on'],
    ['ChatCompletionUserMessageParam.name', 'passed on'],
  ]);
  const check = async (send: (body: Body) => Sent) =>
    [
      ...(await new TogetherCheck(format as (typeof FORMATS)[number], 'openai-chat', {
        send: async (body) => send(body),
      }).confirmed([reached], rows)),
    ].map((field) => field.split('.')[1]);
  const changing = (from: string, to: string) => (body: Body) =>
    passesOn(JSON.parse(JSON.stringify(body).replaceAll(from, to)) as Body);
  // The least request has a message of a user, too, in the same place.
  expect(await check(passesOn)).toEqual(['content', 'name']);
  expect(await check(changing('value-of-ChatCompletionUserMessageParam-content', 'a'))).toEqual(['name']);
  // One that comes twice may be in the place of another.
  const twice = (value: unknown) => (Array.isArray(value) ? [...value, ...value] : value);
  expect(await check((body) => passesOn({ ...body, messages: twice(body['messages']) }))).toEqual([]);
});
