import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CachedEntry, WholeCachedEntry } from '../../contracts/cached-entries.ts';
import type { Scope } from '../../contracts/keys.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const LARGE = 'simulated/sim-large';
const SMALL = 'simulated/sim-small';
const END = '[[sim tokens=8 delay_ms=1]]';
/** The first two ask something similar. */
const QUESTIONS = {
  refund: `How do I get a refund for a train ticket? ${END}`,
  money: `How can I get my money back for a train ticket? ${END}`,
  planet: `Which planet of the solar system has the most moons? ${END}`,
};

interface Page {
  readonly data: readonly CachedEntry[];
  readonly next: string | null;
}

let stack: Stack;
let admin: UnbrokenApi;
let ann: UnbrokenApi;
let bob: UnbrokenApi;
let stranger: UnbrokenApi;

beforeAll(async () => {
  stack = await startStack();
  const tenant = `entries-${randomUUID()}`;
  const as = async (user: string, scopes: Scope[], of = tenant) =>
    connectApi(stack.api.url, await stack.addKey({ tenant: of, user, scopes }));
  [admin, ann, bob] = [
    await as('root', ['admin']),
    await as('ann', ['generate']),
    await as('bob', ['generate']),
  ];
  stranger = await as('ann', ['generate', 'any-user', 'admin'], `stranger-${randomUUID()}`);
  await generate(ann, QUESTIONS.refund, LARGE);
  await generate(ann, QUESTIONS.planet, LARGE);
  await generate(bob, QUESTIONS.money, SMALL);
  // An answer is stored after its reader has it all.
  await waitFor('the stored answers', async () => (await find(admin, '')).length === 3 || undefined);
});
afterAll(() => stack?.stop());

async function generate(api: UnbrokenApi, input: string, model: string): Promise<void> {
  const body = await api.submit({ input, model });
  await startReading(api, body.id).whole;
}

async function page(api: UnbrokenApi, query: string): Promise<Page> {
  const response = await api.send(`/v1/cache/entries?${query}`);
  if (response.status !== 200) throw new Error(`${query}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Page;
}

const find = async (api: UnbrokenApi, query: string) =>
  (await page(api, query)).data.map(({ question }) => question);
const read = (api: UnbrokenApi, id: string, method = 'GET') =>
  api.send(`/v1/cache/entries/${id}`, { method });
const refusal = async (api: UnbrokenApi, query: string) => {
  const response = await api.send(`/v1/cache/entries?${query}`);
  return `${response.status} ${await response.text()}`;
};

async function idOf(question: string): Promise<string> {
  const entry = (await page(admin, '')).data.find((found) => found.question === question);
  if (entry === undefined) throw new Error(`${question} is not stored`);
  return entry.id;
}

test('stored answers are listed newest first, in pages, by user and by model', async () => {
  const all = [QUESTIONS.money, QUESTIONS.planet, QUESTIONS.refund];
  expect(await find(admin, '')).toEqual(all);
  const pages: string[] = [];
  let after: string | null = '';
  while (after !== null) {
    const next: Page = await page(admin, `limit=1${after === '' ? '' : `&after=${after}`}`);
    pages.push(...next.data.map(({ question }) => question));
    after = next.next;
  }
  expect(pages).toEqual(all);
  expect(await find(admin, 'user=bob')).toEqual([QUESTIONS.money]);
  expect(await find(admin, `model=${LARGE}&user=ann`)).toEqual([QUESTIONS.planet, QUESTIONS.refund]);
  expect((await page(admin, 'user=bob')).data).toMatchObject([
    { user: 'bob', provider: 'simulated', model: 'sim-small', similarity: null, tokens: expect.any(Number) },
  ]);
});

test('a text finds similar questions and answers, in spite of a typing error', async () => {
  expect(await find(admin, 'text=wich+plannet+has+the+most+moons')).toEqual([QUESTIONS.planet]);
  expect((await find(admin, 'text=REFUND+train+ticket')).at(0)).toBe(QUESTIONS.refund);
  expect(await find(admin, 'text=quarterly+earnings')).toEqual([]);
  const [planet] = (await page(admin, 'text=solar+system')).data;
  const answer = encodeURIComponent(planet?.answer.slice(0, 60) ?? '');
  expect((await page(admin, `text=${answer}`)).data[0]).toMatchObject({ id: planet?.id, similarity: 1 });
});

test('an entry finds those whose questions mean something similar', async () => {
  const { data } = await page(admin, `like=${await idOf(QUESTIONS.refund)}`);
  expect(data[0]?.question).toBe(QUESTIONS.money);
  expect(data[0]?.similarity).toBeGreaterThan(data[1]?.similarity ?? 0);
});

test('a stored answer is read whole and deleted, and then it is gone', async () => {
  const id = await idOf(QUESTIONS.money);
  const entry = (await (await read(admin, id)).json()) as WholeCachedEntry;
  expect(entry).toMatchObject({ id, questions: [QUESTIONS.money], finishReason: 'stop', user: 'bob' });
  expect(entry.answer).not.toBe('');
  expect((await read(ann, id)).status).toBe(404);
  expect((await read(ann, id, 'DELETE')).status).toBe(404);
  expect(await (await read(bob, id, 'DELETE')).json()).toEqual({ deleted: 1 });
  for (const method of ['GET', 'DELETE']) expect((await read(admin, id, method)).status).toBe(404);
  expect(await find(admin, 'user=bob')).toEqual([]);
});

test('a user finds its own entries alone, and another tenant finds none', async () => {
  const own = [QUESTIONS.planet, QUESTIONS.refund];
  expect(await find(ann, '')).toEqual(own);
  expect(await refusal(ann, 'user=bob')).toMatch(/^403 .*forbidden/);
  const id = await idOf(QUESTIONS.refund);
  expect((await read(ann, id)).status).toBe(200);
  for (const query of ['', 'text=train+ticket', 'user=ann', `model=${LARGE}`]) {
    expect(await find(stranger, query)).toEqual([]);
  }
  expect(await refusal(stranger, `like=${id}`)).toMatch(/^404 .*not_found/);
  for (const method of ['GET', 'DELETE']) expect((await read(stranger, id, method)).status).toBe(404);
  const { next } = await page(admin, 'limit=1');
  expect(await find(stranger, `after=${next}`)).toEqual([]);
});

test('a text of more than 500 characters is refused', async () => {
  expect(await refusal(admin, `text=${'a'.repeat(501)}`)).toMatch(/^400 .*invalid_request.*text/);
});

test.each([
  ['text=a', 'text'],
  ['like=x', 'like'],
  [`text=ab&like=${randomUUID()}`, 'like'],
  ['text=ab&after=x', 'after'],
  ['after=x', 'after'],
  ['model=x', 'model'],
  ['limit=0', 'limit'],
  ['colour=red', 'query'],
])('?%s is refused with the field at fault', async (query, field) => {
  expect(await refusal(admin, query)).toMatch(new RegExp(`^400 .*invalid_request.*${field}`));
});
