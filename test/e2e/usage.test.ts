import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Scope } from '../../contracts/keys.ts';
import type { UsageFailures, UsageLatencies, UsageSums, UsageView } from '../../contracts/usage.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const LARGE = 'simulated/sim-large';
const PRICE = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 10_000_000 };
const today = new Date().toISOString().slice(0, 10);
const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
/** So that a test that runs at midnight sees both days. */
const PERIOD = `from=${yesterday}&until=${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}`;
const GENERATED = 4;

let stack: Stack;
/** Keys of a tenant that no other suite has: an administrator, a backend for all users, and two users. */
let admin: UnbrokenApi;
let backend: UnbrokenApi;
let ann: UnbrokenApi;
let bob: UnbrokenApi;
let stranger: UnbrokenApi;
/** What the terminal events of the generations say. */
let expected: { tokens: number; costMicroUsd: number };

beforeAll(async () => {
  stack = await startStack({ config: { prices: { [LARGE]: PRICE } } });
  const tenant = `usage-${randomUUID()}`;
  const as = async (user: string, scopes: Scope[], of = tenant) =>
    connectApi(stack.api.url, await stack.addKey({ tenant: of, user, scopes }));
  [admin, backend] = [await as('root', ['admin']), await as('backend', ['generate', 'any-user'])];
  [ann, bob] = [await as('ann', ['generate']), await as('bob', ['generate'])];
  stranger = await as('ann', ['admin', 'generate'], `stranger-${randomUUID()}`);
  const repeated = promptOf({ tokens: 40, delayMs: 1 });
  const ends = [await generate(ann, repeated), await generate(ann, repeated)];
  await stack.sim.fault({ kind: 'cut', afterTokens: 5 });
  ends.push(await generate(bob, promptOf({ tokens: 30, delayMs: 1 })));
  ends.push(await generate(backend, promptOf({ tokens: 20, delayMs: 1 }), 'carl'));
  expected = {
    tokens: ends.reduce((sum, { tokens }) => sum + tokens, 0),
    costMicroUsd: ends.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
  };
  // A settlement follows the last event.
  await waitFor('the settlements', async () => {
    const { totals } = await read<UsageView>(admin, `/v1/usage?${PERIOD}`);
    return totals.generations === GENERATED ? totals : undefined;
  });
});
afterAll(() => stack?.stop());

async function generate(api: UnbrokenApi, input: string, user?: string) {
  const body = await api.submit({ input, model: LARGE, ...(user === undefined ? {} : { user }) });
  const last = (await startReading(api, body.id).whole).at(-1);
  if (last?.type !== 'generation-end') throw new Error(`${body.id} ended with ${last?.type}`);
  const { usage, costMicroUsd } = last;
  return { tokens: usage.inputTokens + usage.outputTokens, costMicroUsd };
}

async function read<Body>(api: UnbrokenApi, path: string): Promise<Body> {
  const response = await api.send(path);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Body;
}

const refusal = async (api: UnbrokenApi, path: string) => {
  const response = await api.send(path);
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return `${response.status} ${error.code} ${error.message}`;
};
const namesOf = ({ groups }: UsageView) => groups.map(({ name }) => name);
const byGenerations = ({ generations }: UsageSums, other: UsageSums) => other.generations - generations;

test('the usage of a tenant is what its generations reported, by user, model, day and hour, and what the ledger booked', async () => {
  const view = await read<UsageView>(admin, `/v1/usage?${PERIOD}&by=user`);
  expect(view.totals).toMatchObject({
    ...expected,
    generations: GENERATED,
    completed: GENERATED,
    cacheHits: 1,
  });
  expect(view.totals.savedMicroUsd).toBeGreaterThan(0);
  expect(view.totals.savedTokens).toBeGreaterThan(0);
  expect(view.groups.toSorted(byGenerations).at(0)).toMatchObject({
    name: 'ann',
    generations: 2,
    cacheHits: 1,
  });
  expect(namesOf(view).toSorted()).toEqual(['ann', 'bob', 'carl']);
  const { groups, series } = await read<UsageView>(admin, `/v1/usage?${PERIOD}&by=model&each=hour`);
  expect(groups).toMatchObject([{ name: LARGE, ...expected }]);
  expect(series.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)).toBe(expected.costMicroUsd);
  const { data } = await read<{ data: { spentTokens: number; spentMicroUsd: number }[] }>(
    admin,
    `/v1/budgets/entries?from=${yesterday}&until=${today}&limit=1000`,
  );
  const booked = (name: 'spentTokens' | 'spentMicroUsd') => data.reduce((sum, entry) => sum + entry[name], 0);
  expect([booked('spentTokens'), booked('spentMicroUsd')]).toEqual([expected.tokens, expected.costMicroUsd]);
});

test('latencies and failures are counted by model, provider and code', async () => {
  const latencies = await read<UsageLatencies>(admin, `/v1/usage/latencies?${PERIOD}`);
  expect(latencies.models).toMatchObject([{ name: LARGE, answers: 3 }]);
  const { firstTokenMs, totalMs } = latencies.totals;
  expect(firstTokenMs?.p50).toBeGreaterThan(0);
  expect(totalMs?.p50).toBeGreaterThanOrEqual(firstTokenMs?.p50 ?? Number.NaN);
  const { data } = await read<UsageFailures>(admin, `/v1/usage/failures?${PERIOD}&each=hour`);
  expect(data).toMatchObject([
    { provider: 'simulated', model: 'sim-large', count: 1, series: [{ count: 1 }] },
  ]);
});

test('a key without admin and any-user sees its own user alone, and another tenant sees nothing', async () => {
  const own = await read<UsageView>(ann, `/v1/usage?${PERIOD}&by=user`);
  expect(namesOf(own)).toEqual(['ann']);
  expect(own.totals.generations).toBe(2);
  expect((await read<UsageView>(ann, `/v1/usage?${PERIOD}&by=model&user=ann`)).totals).toEqual(own.totals);
  expect(await refusal(ann, '/v1/usage?user=bob')).toMatch(/^403 forbidden/);
  expect(await refusal(ann, '/v1/usage?each=hour')).toMatch(/^400 invalid_request each/);
  for (const report of ['latencies', 'failures']) {
    expect(await refusal(ann, `/v1/usage/${report}`)).toMatch(/^403 forbidden/);
  }
  expect(namesOf(await read<UsageView>(backend, `/v1/usage?${PERIOD}&by=user&user=bob`))).toEqual(['bob']);
  for (const [report, empty] of [
    ['usage?by=user', { totals: { generations: 0 }, groups: [] }],
    ['usage?user=ann', { totals: { generations: 0 } }],
    ['usage/latencies?each=day', { totals: { answers: 0, totalMs: null }, models: [] }],
    ['usage/failures?each=day', { data: [] }],
  ] as const) {
    expect(await read(stranger, `/v1/${report}&${PERIOD}`)).toMatchObject(empty);
  }
});

test.each([
  ['from=2026-01-02&until=2026-01-01', 'until'],
  ['from=2020-01-01&until=2026-01-01', 'from'],
  ['each=hour&from=2026-01-01&until=2026-02-01', 'from'],
  ['each=hour&by=user', 'each'],
  ['by=colour', 'by'],
  ['prompt=a b', 'prompt'],
  ['limit=201', 'limit'],
  ['after=x', 'after'],
  ['colour=red', 'query'],
])('usage?%s is refused with the field at fault', async (query, field) => {
  expect(await refusal(admin, `/v1/usage?${query}`)).toMatch(new RegExp(`^400 invalid_request .*${field}`));
});

test('the command prints the same sums', async () => {
  const { out } = await runCli(admin, ['usage', '--by', 'model', '--since', '2d', '--json']);
  expect(JSON.parse(out)).toMatchObject({ data: [{ name: LARGE, ...expected }], total: expected });
});
