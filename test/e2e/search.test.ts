import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GenerationView } from '../../contracts/generation.ts';
import type { Scope } from '../../contracts/keys.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const SMALL = 'simulated/sim-small';
const LARGE = 'simulated/sim-large';

interface Page {
  readonly data: readonly GenerationView[];
  readonly next: string | null;
}

let stack: Stack;
let admin: UnbrokenApi;
let ann: UnbrokenApi;
let stranger: UnbrokenApi;
const prompt = { name: 'greeting' };
/** Ids by what they are. */
let small: string;
let large: string;
let prompted: string;
let failed: string;
let cancelled: string;

beforeAll(async () => {
  stack = await startStack();
  const tenant = `search-${randomUUID()}`;
  const as = async (user: string, scopes: Scope[], of = tenant) =>
    connectApi(stack.api.url, await stack.addKey({ tenant: of, user, scopes }));
  admin = await as('root', ['generate', 'any-user', 'admin']);
  ann = await as('ann', ['generate']);
  stranger = await as('root', ['generate', 'any-user', 'admin'], `stranger-${randomUUID()}`);
  await admin.send('/v1/prompts/greeting/versions', {
    method: 'POST',
    body: JSON.stringify({ system: 'Greet.' }),
  });
  const label = { method: 'PUT', body: JSON.stringify({ version: 1 }) };
  await admin.send('/v1/prompts/greeting/labels/production', label);
  small = await generate(ann, { model: SMALL });
  large = await generate(admin, { model: LARGE, user: 'bob' });
  prompted = await generate(admin, { model: SMALL, prompt });
  await stack.sim.fault({ status: 400 });
  failed = await generate(admin, { model: SMALL });
  const slow = await admin.create({
    input: promptOf({ tokens: 5_000, delayMs: 20 }),
    model: SMALL,
    cache: 'off',
  });
  cancelled = slow.body.id;
  await admin.cancel(cancelled);
  await waitFor('the search of all', async () =>
    (await find('status=cancelled')).length === 1 ? true : undefined,
  );
  await waitFor('the search of all', async () => ((await find('')).length === 5 ? true : undefined));
});
afterAll(() => stack?.stop());

async function generate(api: UnbrokenApi, request: object): Promise<string> {
  const body = await api.submit({ input: promptOf({ tokens: 8, delayMs: 1 }), cache: 'off', ...request });
  await startReading(api, body.id).whole;
  return body.id;
}

async function page(query: string, api = admin): Promise<Page> {
  const response = await api.send(`/v1/generations?${query}`);
  if (response.status !== 200) throw new Error(`${query}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Page;
}

const find = async (query: string, api = admin) => (await page(query, api)).data.map(({ id }) => id);
const refusal = async (query: string, api = admin) => {
  const response = await api.send(`/v1/generations?${query}`);
  return `${response.status} ${await response.text()}`;
};

test('generations are found by user, model, status, prompt and time, and by several of them', async () => {
  const found = async (query: string) => new Set(await find(query));
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const all = new Set([small, large, prompted, failed, cancelled]);
  expect(await found('user=bob')).toEqual(new Set([large]));
  expect(await found(`model=${LARGE}`)).toEqual(new Set([large]));
  expect(await found('model=sim-large')).toEqual(new Set([large]));
  expect(await found('status=failed')).toEqual(new Set([failed]));
  expect(await found('status=cancelled')).toEqual(new Set([cancelled]));
  expect(await found('prompt=greeting')).toEqual(new Set([prompted]));
  expect(await found('prompt=greeting@1')).toEqual(new Set([prompted]));
  expect(await found('prompt=greeting@2')).toEqual(new Set());
  expect(await found(`model=${SMALL}&status=completed`)).toEqual(new Set([small, prompted]));
  expect(await found(`from=${yesterday}&until=${tomorrow}`)).toEqual(all);
  expect(await found(`until=${yesterday}`)).toEqual(new Set());
  expect(await found(`from=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual(
    new Set(),
  );
});

test('pages hold each generation once, also one that ends between them', async () => {
  const input = promptOf({ tokens: 3_000, delayMs: 20 });
  const running = (await admin.create({ input, model: SMALL, cache: 'off' })).body.id;
  await waitFor('the running one', async () => (await find('status=running')).includes(running) || undefined);
  const first = await page('limit=1');
  expect(first.data.map(({ id }) => id)).toEqual([running]);
  await admin.cancel(running);
  await waitFor('its end', async () => (await find('status=cancelled')).includes(running) || undefined);
  const later = await generate(admin, { model: SMALL });
  const ids: string[] = [];
  for (let after = first.next; after !== null; ) {
    const next: Page = await page(`limit=2&after=${after}`);
    ids.push(...next.data.map(({ id }) => id));
    after = next.next;
  }
  expect(ids.toSorted()).toEqual([small, large, prompted, failed, cancelled].toSorted());
  expect(await find('')).toContain(later);
});

test('a key without any-user finds its own user alone, and another tenant finds nothing', async () => {
  expect(await find('', ann)).toEqual([small]);
  expect(await find('user=ann', ann)).toEqual([small]);
  expect(await refusal('user=bob', ann)).toMatch(/^403 .*forbidden/);
  for (const query of ['', 'user=ann', `model=${SMALL}`, 'status=failed', 'prompt=greeting']) {
    expect(await find(query, stranger)).toEqual([]);
  }
  // A cursor is a place in the order, and opens nothing.
  const { next } = await page('limit=1');
  expect(await find(`limit=100&after=${next}`, stranger)).toEqual([]);
});

test.each([
  ['status=odd', 'status'],
  [`model=${encodeURIComponent('x" OR UnbrokenTenant != "')}`, 'model'],
  ["model=x'y", 'model'],
  ['user=a"b', 'user'],
  ['prompt=A', 'prompt'],
  ['from=yesterday', 'from'],
  ['after=x', 'after'],
  [`after=${Buffer.from('{"token":"AAAA","asOfMs":1,"running":null}').toString('base64url')}`, 'after'],
  ['colour=red', 'query'],
])('?%s is refused with the field at fault', async (query, field) => {
  expect(await refusal(query)).toMatch(new RegExp(`^400 .*invalid_request.*${field}`));
});
