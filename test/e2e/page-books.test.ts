import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { BROWSER_WITHIN_MS, type Browser, openBrowser } from '../harness/browser.ts';
import { PROJECT_ROOT } from '../harness/child-process.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const PRICE = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 10_000_000 };
const TENANT = `books-${randomUUID()}`;
let stack: Stack;
/** Of a tenant of this file's own: what it limits and spends is no other suite's. */
let api: UnbrokenApi;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['clients/web/build.ts'], { cwd: PROJECT_ROOT });
  const config = { prices: { 'simulated/sim-large': PRICE } };
  [stack, browser] = await Promise.all([startStack({ config }), openBrowser()]);
  const owner = { tenant: TENANT, user: 'dev' };
  const scopes = ['generate', 'any-user', 'admin'] as const;
  api = connectApi(stack.api.url, await stack.addKey({ ...owner, scopes: [...scopes] }));
}, BROWSER_WITHIN_MS);
afterAll(() => Promise.all([browser?.close(), stack?.stop()]));
beforeEach(async () => {
  await page?.close();
  page = await browser.context.newPage();
  page.setDefaultTimeout(20_000);
});

async function open(view: string, key = api.key): Promise<void> {
  await page.goto(api.url);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('link', { name: view, exact: true }).click();
}

async function send(method: string, path: string, body: object): Promise<void> {
  const response = await api.send(path, { method, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

/** Generates, and resolves with the tokens that it took and what they cost. */
async function generate(request: object): Promise<{ tokens: number; costMicroUsd: number }> {
  const input = promptOf({ tokens: 50, delayMs: 0 });
  const { body } = await api.create({ input, cache: 'off', ...request });
  const last = (await startReading(api, body.id).whole).at(-1);
  if (last?.type !== 'generation-end') throw new Error(`${body.id} ended with ${last?.type}`);
  return {
    tokens: last.usage.inputTokens + last.usage.outputTokens,
    costMicroUsd: last.costMicroUsd,
  };
}

async function barriers(): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(`${axe.source}; axe.run()`);
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** What the page asks before something that cannot be undone. */
async function confirm(action: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  expect(await barriers()).toEqual([]);
  await dialog.getByRole('button', { name: action }).click();
  await dialog.waitFor({ state: 'detached' });
}

test('keys: created, used, rotated and revoked; a secret is shown once', async () => {
  await browser.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open('Keys');
  await page.getByRole('button', { name: 'Create a key' }).click();
  await page.getByRole('button', { name: 'Create the key' }).click();
  await page.getByText('Expected 1 to 128 of A-Z').waitFor();
  await page.getByLabel('Name (optional)').fill('billing service');
  await page.getByLabel('User', { exact: true }).fill('robot');
  expect(await barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Create the key' }).click();
  const first = await copySecret();
  expect(await statusOf(first)).toBe(201);
  const row = page.getByRole('row').filter({ hasText: 'billing service' });
  await row.getByRole('button', { name: 'Rotate billing service' }).click();
  await page.getByLabel('The old secret stays valid for').selectOption('It is refused at once');
  await page.getByRole('button', { name: 'Rotate the key' }).click();
  const second = await copySecret();
  await waitFor('the old secret to be refused', async () => (await statusOf(first)) === 401);
  expect(await statusOf(second)).toBe(201);
  const content = await page.content();
  expect([first, second].filter((secret) => content.includes(secret))).toEqual([]);
  await row.getByRole('button', { name: 'Revoke billing service' }).click();
  await page.keyboard.press('Escape');
  expect(await statusOf(second)).toBe(201);
  await row.getByRole('button', { name: 'Revoke billing service' }).click();
  await confirm('Revoke the key');
  await row.waitFor({ state: 'detached' });
  await waitFor('the revoked key to be refused', async () => (await statusOf(second)) === 401);
  expect(browser.complaints).toEqual([]);
});

/** Copies the new secret with the button of its dialog, and closes that. */
async function copySecret(): Promise<string> {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await dialog.getByText('Copied.').waitFor();
  const secret = await page.evaluate<string>('navigator.clipboard.readText()');
  expect(await dialog.locator('code').textContent()).toBe(secret);
  expect(await barriers()).toEqual([]);
  await dialog.getByRole('button', { name: 'Done' }).click();
  return secret;
}

/** What the API answers to a request with the key. */
async function statusOf(key: string): Promise<number> {
  const input = promptOf({ tokens: 5, delayMs: 0 });
  return (await connectApi(stack.api.url, key).create({ input, cache: 'off' })).status;
}

test('budgets: what is spent of each limit, and the limits', async () => {
  await send('PUT', '/v1/budgets/limits', { per: 'user', window: 'day', amount: 20_000 });
  const { tokens } = await generate({});
  await open('Budgets');
  const day = page.getByRole('region', { name: /^day / });
  await day.getByText(`${tokens} tokens spent, of 20,000 tokens`).waitFor();
  const row = page.getByRole('row').filter({ hasText: 'each user' });
  expect(await row.textContent()).toContain('20,000 tokens');
  await page.getByLabel('Name').fill('nobody-yet');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('heading', { name: 'user nobody-yet' }).waitFor();
  expect(await barriers()).toEqual([]);
  expect(browser.complaints).toEqual([]);
});

test('budgets: a limit that is set here refuses the next request, until it is edited or removed', async () => {
  const request = { input: promptOf({ tokens: 300 }), user: 'poor', cache: 'off', stream: true } as const;
  const isRefused = async () => {
    const response = await api.send('/v1/generations', { method: 'POST', body: JSON.stringify(request) });
    await response.text();
    return response.status === 429;
  };
  await open('Budgets');
  await page.getByRole('button', { name: 'Set a limit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('poor');
  await dialog.getByLabel('Window').fill('40d');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await dialog.getByText('Expected day, month, or a rolling window from 1h to 31d').waitFor();
  await dialog.getByText('Expected a whole number of tokens').waitFor();
  expect(await barriers()).toEqual([]);
  await dialog.getByLabel('Window').fill('7d');
  await dialog.getByLabel('Amount in tokens').fill('60');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  const row = page.getByRole('row').filter({ hasText: 'user poor' });
  await row.getByText('60 tokens').waitFor();
  await waitFor('the limit to apply', isRefused);
  await row.getByRole('button', { name: 'Edit' }).click();
  await dialog.getByLabel('Amount in tokens').fill('100000');
  await dialog.getByLabel('Warn at').fill('55.5');
  await page.getByRole('button', { name: 'Save the limit' }).click();
  await row.getByText('100,000 tokens').waitFor();
  await waitFor('the new amount to apply', async () => !(await isRefused()));
  const limits = (await (await api.send('/v1/budgets/limits')).json()) as { data: object[] };
  expect(limits.data).toContainEqual(expect.objectContaining({ id: 'poor', amount: 100_000, warnAt: 0.555 }));
  await row.getByRole('button', { name: 'Remove' }).click();
  await confirm('Remove the limit');
  await row.waitFor({ state: 'detached' });
});

test('budgets: an amount in US dollars is exact, and the spend of a user stands beside its limit', async () => {
  const user = 'spender';
  const { costMicroUsd } = await generate({ user });
  await open('Budgets');
  await page.getByRole('button', { name: 'Set a limit' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(user);
  await dialog.getByLabel('Unit').selectOption('US dollars');
  await dialog.getByLabel('Amount in US dollars').fill('0.0000001');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  await dialog.getByText('with at most 6 decimals').waitFor();
  await dialog.getByLabel('Amount in US dollars').fill('0.29');
  await page.getByRole('button', { name: 'Set the limit' }).click();
  const row = page.getByRole('row').filter({ hasText: `user ${user}` });
  await row.getByText('$0.29').waitFor();
  await row.getByText(`$${(costMicroUsd / 1_000_000).toFixed(6)}`).waitFor();
});

test('prompts: what a request costs with each version, as a chart and in a table', async () => {
  const versions = ['Answer at length, and repeat the question before you do.', 'Be brief.'];
  for (const system of versions) await send('POST', '/v1/prompts/support/versions', { system });
  const costs = [];
  for (const version of [1, 2]) costs.push(await generate({ prompt: { name: 'support', version } }));
  await open('Prompts');
  const chart = page.getByRole('img', { name: 'Cost per request by version' });
  const [first, second] = costs.map(({ costMicroUsd }) => `$${(costMicroUsd / 1_000_000).toFixed(6)}`);
  await page.getByRole('img', { name: `v1 ${first}, v2 ${second}` }).waitFor();
  const widths = await chart.locator('.fill').evaluateAll((bars) => bars.map((bar) => bar.clientWidth));
  expect(widths).toHaveLength(2);
  expect(widths[0]).toBeGreaterThan(widths[1] ?? 0);
  const row = page.getByRole('region', { name: 'support' }).getByRole('row').filter({ hasText: 'v2' });
  expect(await row.textContent()).toContain(second);
  await page.getByLabel('Measure').selectOption('Output tokens per request');
  await page.getByRole('img', { name: 'Output tokens per request by version: v1 50, v2 50' }).waitFor();
  expect(await barriers()).toEqual([]);
});

test('prompts: written, edited, compared and labelled', async () => {
  await open('Prompts');
  await page.getByRole('button', { name: 'New prompt' }).click();
  await page.getByLabel('Prompt name').fill('Greeter');
  await page.getByRole('button', { name: 'Write its first version' }).click();
  await page.getByText('Expected up to 64 of a-z').waitFor();
  await page.getByLabel('Prompt name').fill('greeter');
  await page.getByRole('button', { name: 'Write its first version' }).click();
  await page.getByLabel('System text').fill('Greet {{name');
  await page.getByRole('button', { name: 'Add the version' }).click();
  await page.getByText('"{{name" has no }}').waitFor();
  await page.getByLabel('System text').fill('Greet {{name}}.\nBe friendly and brief.');
  await page.getByLabel('Default of name').fill('a customer');
  await page.getByLabel('Max. output tokens').fill('600');
  expect(await barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Add the version' }).click();
  await page.getByRole('heading', { name: 'Content' }).waitFor();
  await page.getByRole('button', { name: 'Edit as a new version' }).click();
  await page.getByLabel('System text').fill('Greet {{name}}.\nBe brief.');
  await page.getByRole('button', { name: 'Add the version' }).click();
  await page.getByText('Version 2 is added.').waitFor();
  await page.getByText('1 line differs.').waitFor();
  expect(await page.locator('.diff del').allTextContents()).toEqual(['friendly and ']);
  await page.getByRole('button', { name: 'Set a label' }).click();
  await page.getByLabel('Version', { exact: true }).fill('1');
  await page.getByRole('button', { name: 'Set the label' }).click();
  const label = page.getByRole('row').filter({ hasText: 'production' });
  await label.getByText('v1').waitFor();
  expect(await versionUsed('greeter')).toBe(1);
  await label.getByRole('button', { name: 'Move production', exact: true }).click();
  await page.getByRole('button', { name: 'Divide among one more version' }).click();
  await page.getByLabel('Version 2').fill('2');
  await page.getByLabel('Weight 1').fill('30');
  await page.getByLabel('Weight 2').fill('10');
  expect(await barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Move the label' }).click();
  await label.getByText('v1 75 %, v2 25 %, by user').waitFor();
  await label.getByRole('button', { name: 'Move production', exact: true }).click();
  await page.getByRole('button', { name: 'Remove the last version' }).click();
  await page.getByLabel('Version', { exact: true }).fill('2');
  await page.getByRole('button', { name: 'Move the label' }).click();
  await label.getByText('v2', { exact: true }).waitFor();
  expect(await versionUsed('greeter')).toBe(2);
  await label.getByRole('button', { name: 'Remove production' }).click();
  await confirm('Remove the label');
  await page.getByText('No labels yet').waitFor();
  expect(browser.complaints).toEqual([]);
});

/** The version that a request gets which names the prompt alone. */
async function versionUsed(name: string): Promise<number | undefined> {
  const { body } = await api.create({
    input: promptOf({ tokens: 5 }),
    cache: 'off',
    prompt: { name, variables: {} },
  });
  await startReading(api, body.id).whole;
  return (await api.view(body.id)).body.prompt?.version;
}

test('a key without the scope admin manages nothing', async () => {
  const key = await stack.addKey({ tenant: TENANT, user: 'guest', scopes: ['generate'] });
  await open('Keys', key);
  await page.getByText('Keys are managed with a key that has the scope admin').waitFor();
  await page.getByRole('link', { name: 'Budgets', exact: true }).click();
  await page.getByText('Budgets are visible to keys with the scope admin').waitFor();
  await page.getByRole('link', { name: 'Prompts', exact: true }).click();
  await page.getByRole('heading', { name: 'Compare versions' }).waitFor();
  for (const name of ['New prompt', 'Edit as a new version', 'Set a label']) {
    expect(await page.getByRole('button', { name }).count()).toBe(0);
  }
});
