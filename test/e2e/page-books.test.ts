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

const PRICE = { inputMicroUsdPerMillion: 1_000_000, outputMicroUsdPerMillion: 10_000_000 };
let stack: Stack;
/** Of a tenant of this file's own: what it limits and spends is no other suite's. */
let api: UnbrokenApi;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['clients/web/build.ts'], { cwd: PROJECT_ROOT });
  const config = { prices: { 'simulated/sim-large': PRICE } };
  [stack, browser] = await Promise.all([startStack({ config }), openBrowser()]);
  const owner = { tenant: `books-${randomUUID()}`, user: 'dev' };
  const scopes = ['generate', 'any-user', 'admin'] as const;
  api = connectApi(stack.api.url, await stack.addKey({ ...owner, scopes: [...scopes] }));
}, BROWSER_WITHIN_MS);
afterAll(() => Promise.all([browser?.close(), stack?.stop()]));
beforeEach(async () => {
  await page?.close();
  page = await browser.context.newPage();
  page.setDefaultTimeout(20_000);
});

async function open(view: string): Promise<void> {
  await page.goto(api.url);
  await page.getByLabel('API key').fill(api.key);
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
  const row = page.getByRole('row').filter({ hasText: 'v2' });
  expect(await row.textContent()).toContain(second);
  await page.getByLabel('Measure').selectOption('Output tokens per request');
  await page.getByRole('img', { name: 'Output tokens per request by version: v1 50, v2 50' }).waitFor();
  expect(await barriers()).toEqual([]);
});
