/** Reported cases about the list of models, and about endpoints that do not exist, each by its number. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { type Stack, startStack } from '../../harness/stack.ts';

let stack: Stack;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  stack = await startStack();
  openai = new OpenAI({ apiKey: stack.api.key, baseURL: `${stack.api.url}/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: stack.api.key, baseURL: stack.api.url, maxRetries: 0 });
});
afterAll(() => stack?.stop());

const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await stack.api.send(path, { headers });
  return { status: response.status, body: (await response.json()) as { data: { id: string }[] } };
};

describe('case 17: the list of models', () => {
  test.each([
    ['/v1/models?client_version=0.147.0', {}],
    ['/v1/models?limit=1000', {}],
    ['/v1/models?limit=1000&beta=true', { 'anthropic-version': '2023-06-01' }],
  ])('%s: what a client sends besides is ignored', async (path, headers) => {
    expect((await get(path, headers)).status).toBe(200);
  });

  test('begins with the routes, and has only what can be used unless asked for more', async () => {
    const { body } = await get('/v1/models');
    const ids = body.data.map(({ id }) => id);
    expect(ids.slice(0, 2)).toEqual(['unbroken', 'unbroken/default']);
    expect(ids.filter((id) => !/^(unbroken|simulated)/.test(id))).toEqual([]);
    expect((await get('/v1/models?available=any')).body.data.length).toBeGreaterThan(ids.length + 100);
  });

  test("every entry can be retrieved by OpenAI's client, under the id that the list gives it", async () => {
    const listed = await openai.models.list();
    expect(listed.data.length).toBeGreaterThan(4);
    for (const { id, created, object, owned_by: owner } of listed.data.slice(0, 40)) {
      expect({ id, object, created }).toEqual({ id, object: 'model', created: expect.any(Number) });
      expect(await openai.models.retrieve(id)).toMatchObject({ id, created, owned_by: owner });
    }
  });

  test("every entry can be retrieved by Anthropic's client, and its pages hold each entry once", async () => {
    const whole = (await get('/v1/models')).body.data.map(({ id }) => id);
    const paged: string[] = [];
    for await (const model of anthropic.models.list({ limit: 3 })) {
      expect(model).toMatchObject({ type: 'model', display_name: expect.any(String) });
      expect(Number.isNaN(Date.parse(model.created_at))).toBe(false);
      paged.push(model.id);
    }
    expect(paged).toEqual(whole);
    const back = await anthropic.models.list({ limit: 2, before_id: whole[3] ?? '' });
    expect(back.data.map(({ id }) => id)).toEqual(whole.slice(1, 3));
    expect(back).toMatchObject({ has_more: true, first_id: whole[1], last_id: whole[2] });
    for (const id of whole.slice(0, 5)) expect(await anthropic.models.retrieve(id)).toMatchObject({ id });
  });

  test('a name that does not exist is not found, in the shape of the client', async () => {
    await expect(openai.models.retrieve('unbroken/nowhere')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
    await expect(anthropic.models.retrieve('nobody/x')).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
  });
});

test('the legacy completions API is refused with the endpoints that replace it', async () => {
  await expect(openai.completions.create({ model: 'unbroken', prompt: 'Hi' })).rejects.toMatchObject({
    status: 404,
    code: 'not_found',
    message: expect.stringMatching(/chat\/completions.*\/v1\/responses/),
  });
});

test('every request has a name, where the client of each vendor reads it, and an error repeats it', async () => {
  const list = await openai.models.list().withResponse();
  expect(list.request_id).toMatch(/^req_[0-9a-f]{32}$/);
  const path = '/v1/messages';
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  const refused = await stack.api.send(path, init);
  const name = refused.headers.get('request-id');
  expect(await refused.json()).toMatchObject({ type: 'error', request_id: name });
  const question = {
    model: 'simulated/sim-large',
    max_tokens: 20,
    messages: [{ role: 'user', content: 'Hi' }],
  };
  const message = await anthropic.messages.create(question as never);
  expect(message._request_id).toMatch(/^req_/);
  expect(message._request_id).not.toBe(name);
});
